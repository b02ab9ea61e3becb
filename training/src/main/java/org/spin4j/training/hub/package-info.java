/** Models of the Hugging Face hub: {@code hf:owner/name@revision} becomes a folder in the cache that all its programs share. */
package org.spin4j.training.hub;
