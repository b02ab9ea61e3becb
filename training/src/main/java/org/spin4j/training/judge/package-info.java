/** Judges of responses, and what is made of their judgements: preference pairs, judge data to learn from, reward-model figures, duels. */
package org.spin4j.training.judge;
