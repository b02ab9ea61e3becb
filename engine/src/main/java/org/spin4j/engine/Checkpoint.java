package org.spin4j.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * A model as a folder or a file holds it: a configuration, and tensors under the names and in the shapes that Hugging Face's
 * families give them. Who loads a model does not see which format it came in.
 */
interface Checkpoint extends AutoCloseable {
    /**
     * Opens whatever lies at {@code path}; the weights stay where they are until they are read.
     *
     * @throws CheckpointException when something is missing, broken or not supported
     */
    static Checkpoint open(Path path) {
        return switch (CheckpointFormat.of(path)) {
            case FOLDER -> ModelFolder.open(path);
            case GGUF -> GgufCheckpoint.open(path);
            case LLAMA2C -> Llama2cCheckpoint.open(path);
        };
    }

    /** What the model looks like. */
    DecoderConfig config();

    /** The folder or the file, for messages. */
    Path path();

    /** Names of all tensors. */
    Set<String> names();

    /** Whether there is a tensor of that name. */
    default boolean has(String name) {
        return names().contains(name);
    }

    /**
     * Dimensions of a tensor, outermost first.
     *
     * @throws CheckpointException when there is no such tensor
     */
    List<Long> shape(String name);

    /** In which type a frozen model keeps a tensor: its own, or where products do not read that, the one it is widened to. */
    DType type(String name);

    /**
     * Reads a tensor, converting to the type of {@code out}.
     *
     * @param out as many elements as the tensor has
     * @throws CheckpointException when there is no such tensor, it holds no numbers, or the sizes differ
     */
    void read(String name, Storage out);

    /**
     * The tensor where it lies, in {@link #type}, row by row: nothing is copied, and what is not used is never fetched from the disk.
     * Valid until {@link #close}, and only as long as nobody shortens the file: the operating system answers a
     * look beyond its end with an {@link InternalError}.
     *
     * @return null where its bytes cannot be multiplied as they are
     */
    Storage inPlace(String name);

    /** Gives up what {@link #inPlace} gave. */
    @Override
    void close();
}
