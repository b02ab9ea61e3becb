/** Data, losses, schedules, runs, methods, evaluation and the command line. Knows nothing of SIMD or devices. */
package org.spin4j.training;
