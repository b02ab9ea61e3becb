package org.spin4j.kernels;

/** The element types that kernels compute with. F64 exists for the gradient checks of the scalar specification. */
public enum DType {
    /** 32-bit IEEE floating point: what every backend trains in. */
    F32(4),
    /** 64-bit IEEE floating point: understood by the scalar backend only. */
    F64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
