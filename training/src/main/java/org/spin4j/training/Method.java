package org.spin4j.training;

import java.util.Locale;

/** The training commands. */
public enum Method {
    /** Supervised fine-tuning. */
    SFT,
    /** Direct preference optimisation. */
    DPO,
    /** Self-play fine-tuning. */
    SPIN,
    /** Self-rewarding language models. */
    SELF_REWARD;

    /** The command's name. */
    public String command() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
