package org.spin4j.kernels;
