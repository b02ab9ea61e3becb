/** The report of a run: a plain data model and its page, one self-contained HTML file with plots as inline SVG. */
package org.spin4j.training.report;
