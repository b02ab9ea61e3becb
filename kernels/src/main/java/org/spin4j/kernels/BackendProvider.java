package org.spin4j.kernels;

import java.util.List;

/** A backend that lives in a module of its own and computes on devices; {@link Backends} finds it as a service. */
public interface BackendProvider {
    /**
     * A device that a backend could compute on.
     *
     * @param name   what stands behind the colon of a backend setting
     * @param label  what a reader knows it by, and its memory
     * @param faster whether it is meant to be faster than the vector backend: a real GPU, no processor in its guise
     * @param narrow why it has no products in 16 bits; empty where it has
     */
    record Device(String name, String label, boolean faster, String narrow) {}

    /** Name of the backend: what stands before the colon. */
    String name();

    /**
     * The devices, best first.
     *
     * @throws UnsupportedOperationException where what it needs is not there; the message says what that is and what to do
     */
    List<Device> devices();

    /**
     * Kernels on a device.
     *
     * @param device its name
     * @param type   what products round their operands to, {@code f16} or {@code bf16}; empty for F32
     * @throws IllegalArgumentException      where there is no device of that name, or no such type
     * @throws UnsupportedOperationException as {@link #devices}, or where the device has no such products
     */
    Kernels open(String device, String type);
}
