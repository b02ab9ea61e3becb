package org.spin4j.training;

import org.spin4j.engine.Decoder;

/**
 * Looks at a policy now and then while it is trained, and may end the training early. A training that is gone on with after a stop
 * asks again what was asked before, so the answers have to be the same then.
 */
public interface Checks {
    /** Looks at nothing. */
    Checks NONE = new Checks() {
        @Override
        public boolean due(int step) {
            return false;
        }

        @Override
        public boolean enough(int step, Decoder policy) {
            return false;
        }

        @Override
        public void choose(int step, Decoder policy) {
            // What training ended with is what there is.
        }
    };

    /** Whether the policy is to be looked at after so many steps. */
    boolean due(int step);

    /** Whether training is to end after so many steps; asked only where a look is due. */
    boolean enough(int step, Decoder policy);

    /** Training has ended after so many steps: gives the policy the weights that it is to keep. */
    void choose(int step, Decoder policy);
}
