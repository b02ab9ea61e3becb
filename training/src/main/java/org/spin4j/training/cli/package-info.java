/** The command line: reads options, calls the rooms, prints results to standard output and everything else beside it. */
package org.spin4j.training.cli;
