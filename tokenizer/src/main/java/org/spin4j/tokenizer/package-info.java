package org.spin4j.tokenizer;
