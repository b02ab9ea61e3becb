package org.spin4j.kernels;

/**
 * The numbers of an allocation in the memory of a device. A backend with memory of its own makes one for each allocation that it
 * computes with; its storages then tell it before the host touches the numbers, so that what one side changed reaches the other when it
 * is asked for, and not before. Ranges count elements of the whole allocation.
 */
public interface Mirror {
    /** The host is about to read a range, which must be up to date when this returns. */
    void beforeRead(long from, long count);

    /** The host is about to write to a range, to all or to parts of it. */
    void beforeWrite(long from, long count);

    /** Sets a range to zero, on whichever side that costs least. */
    void zero(long from, long count);

    /**
     * Copies within the device, where the numbers of {@code from} are there.
     *
     * @param from of this mirror's allocation
     * @param to   any storage of the same type and size
     * @return false where the host is to copy
     */
    boolean copy(Storage from, Storage to);
}
