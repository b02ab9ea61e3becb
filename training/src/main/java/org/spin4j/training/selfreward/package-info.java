/** Self-rewarding language models (Yuan et al. 2024, arXiv 2401.10020): the loop, its stages, its report, its demo. */
package org.spin4j.training.selfreward;
