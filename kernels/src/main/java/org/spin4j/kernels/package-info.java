/**
 * The numeric kernels of a decoder, forward and backward, over off-heap memory: {@link org.spin4j.kernels.Kernels} is the
 * list, {@link org.spin4j.kernels.ScalarKernels} the specification, {@link org.spin4j.kernels.Backends} the chooser. This
 * room knows memory, threads and SIMD; it knows nothing of gradients as a concept, layers or tokens.
 */
package org.spin4j.kernels;
