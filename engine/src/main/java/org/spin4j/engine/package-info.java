package org.spin4j.engine;
