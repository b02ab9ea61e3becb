package org.spin4j.training;
