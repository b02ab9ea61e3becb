/** Benchmarks: spin4j measured beside its peers. */
package org.spin4j.bench;
