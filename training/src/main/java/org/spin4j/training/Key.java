package org.spin4j.training;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * One key of a run's configuration, on the record component of {@link TrainConfig} that holds it. The key's name is the
 * component's in snake_case, its type the component's; reading, checking and the help text all follow from here.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Key {
    /** One line for the help text: what it is, in which unit. */
    String help();

    /** The default as one would write it; empty for "not set" or an empty list. */
    String initial() default "";

    /** The default of self-reward, as one would write it, where its paper has another; empty: {@link #initial}. */
    String selfReward() default "";

    /** The commands that use the key. */
    Method[] use() default {Method.SFT, Method.DPO, Method.SPIN, Method.SELF_REWARD};

    /** Smallest value allowed. */
    double min() default Double.NEGATIVE_INFINITY;

    /** Value that must be exceeded. */
    double above() default Double.NEGATIVE_INFINITY;

    /** Largest value allowed. */
    double max() default Double.POSITIVE_INFINITY;

    /** Value that must stay out of reach. */
    double below() default Double.POSITIVE_INFINITY;

    /** Whether the trained weights depend on it; a run may be resumed with another value where they do not. */
    boolean shapesResult() default true;
}
