package org.spin4j.engine;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.spin4j.kernels.CachedBatch;
import org.spin4j.kernels.DType;
import org.spin4j.kernels.Storage;

/**
 * Memory for the keys and values of tokens seen so far, in pages of {@link CachedBatch#PAGE} tokens (Kwon et al. 2023, arXiv 2309.06180,
 * section 4). A stream takes a page when it needs one and gives its pages back at its end, so that memory follows what is in use, and nothing is
 * ever moved. Streams that grow out of one prompt share its full pages.
 */
final class KvCache implements AutoCloseable {
    /** A page and the number of streams that read it. */
    private static final class Page {
        final Storage data;
        int readers;

        Page(Storage data) {
            this.data = data;
        }
    }

    private final Arena arena = Arena.ofShared();
    private final DType type;
    private final long[] layerAt;
    private final long pageSize;
    private final Deque<Page> free = new ArrayDeque<>();

    KvCache(Decoder model, DType type) {
        this.type = type;
        layerAt = new long[model.layers()];
        long size = 0;
        for (int i = 0; i < layerAt.length; i++) {
            layerAt[i] = size;
            size = Math.addExact(size, model.attention(i).pageSize());
        }
        pageSize = size;
    }

    /** Where a layer lies in each page. */
    long layerAt(int layer) {
        return layerAt[layer];
    }

    /** A stream without tokens. */
    Stream stream() {
        return new Stream(new ArrayList<>(), 0);
    }

    private Page take() {
        Page page = free.isEmpty() ? new Page(Storage.allocate(arena, type, pageSize)) : free.pop();
        page.readers = 1;
        return page;
    }

    private void give(Page page) {
        if (--page.readers == 0) {
            free.push(page);
        }
    }

    /** Frees the memory; no stream may be used any more. */
    @Override
    public void close() {
        arena.close();
    }

    /** The cached tokens of one stream. */
    final class Stream {
        private final List<Page> pages;
        private int length;

        private Stream(List<Page> pages, int length) {
            this.pages = pages;
            this.length = length;
        }

        /** Tokens cached. */
        int length() {
            return length;
        }

        /** Pages in order, with room for {@code more} tokens behind those cached. */
        List<Storage> room(int more) {
            while ((long) pages.size() * CachedBatch.PAGE < (long) length + more) {
                pages.add(take());
            }
            return pages.stream().map(page -> page.data).toList();
        }

        /** So many tokens more are cached now. */
        void grown(int more) {
            length += more;
        }

        /** A second stream that goes on from the same tokens: it shares full pages, and gets a copy of one that will be written to. */
        Stream fork() {
            int full = length / CachedBatch.PAGE;
            List<Page> own = new ArrayList<>(pages.subList(0, full));
            own.forEach(page -> page.readers++);
            if (length % CachedBatch.PAGE > 0) {
                Page last = take();
                last.data.copyFrom(pages.get(full).data);
                own.add(last);
            }
            return new Stream(own, length);
        }

        /** Forgets all tokens from a position on; none of them may be shared. */
        void truncate(int to) {
            length = to;
            while ((pages.size() - 1L) * CachedBatch.PAGE >= to && !pages.isEmpty()) {
                give(pages.removeLast());
            }
        }
    }
}
