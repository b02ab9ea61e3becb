package org.spin4j.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A family of models as GGUF calls it, and what it calls their tensors. Source: {@code gguf-py/gguf/tensor_mapping.py} and
 * {@code convert_hf_to_gguf.py} of llama.cpp.
 *
 * @param id         its {@code general.architecture}
 * @param modelTypes the {@code model_type}s of Hugging Face that it stands for
 * @param layers     what the names of a layer's tensors begin with in a folder, up to the number
 * @param names      its tensors
 */
record GgufArchitecture(String id, List<String> modelTypes, String layers, List<Name> names) {
    /** Llama, Mistral and all that have their blocks. */
    private static final GgufArchitecture LLAMA = new GgufArchitecture("llama", List.of("llama", "mistral"),
            "model.layers.", rotary(GgufLayout.PAIRED));
    private static final GgufArchitecture SMOLLM3 = new GgufArchitecture("smollm3", List.of("smollm3"),
            "model.layers.", rotary(GgufLayout.PAIRED));
    private static final GgufArchitecture QWEN2 = new GgufArchitecture("qwen2", List.of("qwen2"), "model.layers.",
            rotary(GgufLayout.SAME));
    private static final GgufArchitecture QWEN3 = new GgufArchitecture("qwen3", List.of("qwen3"), "model.layers.",
            rotary(GgufLayout.SAME, layer("attn_q_norm", "self_attn.q_norm"),
                    layer("attn_k_norm", "self_attn.k_norm")));
    private static final GgufArchitecture GPT2 = new GgufArchitecture("gpt2", List.of("gpt2"), "transformer.h.",
            List.of(new Name("token_embd", "transformer.wte", false, GgufLayout.SAME),
                    new Name("position_embd", "transformer.wpe", false, GgufLayout.SAME),
                    new Name("output_norm", "transformer.ln_f", false, GgufLayout.SAME),
                    new Name("output", "lm_head", false, GgufLayout.SAME), layer("attn_norm", "ln_1"),
                    new Name("attn_qkv", "attn.c_attn", true, GgufLayout.TRANSPOSED),
                    new Name("attn_output", "attn.c_proj", true, GgufLayout.TRANSPOSED), layer("ffn_norm", "ln_2"),
                    new Name("ffn_up", "mlp.c_fc", true, GgufLayout.TRANSPOSED),
                    new Name("ffn_down", "mlp.c_proj", true, GgufLayout.TRANSPOSED)));

    private static final List<GgufArchitecture> ALL = List.of(LLAMA, SMOLLM3, QWEN2, QWEN3, GPT2);
    /** What the names of a layer's tensors begin with in a file. */
    private static final String BLOCKS = "blk.";

    /**
     * A tensor's two names, without {@code .weight} or {@code .bias} and without what stands before a layer's.
     *
     * @param gguf   in a file
     * @param folder in a folder
     * @param layer  whether each layer has one
     * @param layout how the file's differs
     */
    record Name(String gguf, String folder, boolean layer, GgufLayout layout) {}

    private static Name layer(String gguf, String folder) {
        return new Name(gguf, folder, true, GgufLayout.SAME);
    }

    /** The tensors of families with rotary positions, and those that one has besides. */
    private static List<Name> rotary(GgufLayout queriesAndKeys, Name... more) {
        List<Name> names = new ArrayList<>(List.of(more));
        names.addAll(List.of(new Name("token_embd", "model.embed_tokens", false, GgufLayout.SAME),
                new Name("output_norm", "model.norm", false, GgufLayout.SAME),
                new Name("output", "lm_head", false, GgufLayout.SAME), layer("attn_norm", "input_layernorm"),
                new Name("attn_q", "self_attn.q_proj", true, queriesAndKeys),
                new Name("attn_k", "self_attn.k_proj", true, queriesAndKeys), layer("attn_v", "self_attn.v_proj"),
                layer("attn_output", "self_attn.o_proj"), layer("ffn_norm", "post_attention_layernorm"),
                layer("ffn_gate", "mlp.gate_proj"), layer("ffn_up", "mlp.up_proj"),
                layer("ffn_down", "mlp.down_proj")));
        return names;
    }

    /** A tensor under its name on the other side. */
    record Place(String name, GgufLayout layout) {}

    /** Those that there are, for messages. */
    static String ids() {
        return ALL.stream().map(GgufArchitecture::id).collect(Collectors.joining(", "));
    }

    /** The one of that {@code general.architecture}. */
    static Optional<GgufArchitecture> of(String id) {
        return ALL.stream().filter(a -> a.id.equals(id)).findFirst();
    }

    /** The one that models of a configuration are written as. */
    static Optional<GgufArchitecture> of(ObjectNode config) {
        String type = config.path("model_type").asText();
        return ALL.stream().filter(a -> a.modelTypes.contains(type)).findFirst();
    }

    /** What a folder calls a tensor of a file; empty for one that this family does not have. */
    Optional<Place> inFolder(String gguf) {
        return rename(gguf, BLOCKS, layers, Name::gguf, Name::folder);
    }

    /** What a file calls a tensor of a folder. */
    Place inFile(String folder) {
        return rename(folder, layers, BLOCKS, Name::folder, Name::gguf)
                .orElseThrow(() -> new IllegalStateException("no name in GGUF for " + folder));
    }

    private Optional<Place> rename(String name, String from, String to, Function<Name, String> known,
            Function<Name, String> wanted) {
        int dot = name.lastIndexOf('.');
        String suffix = dot < 0 ? "" : name.substring(dot);
        if (!suffix.equals(".weight") && !suffix.equals(".bias")) {
            return Optional.empty();
        }
        String stem = name.substring(0, dot);
        boolean layer = stem.startsWith(from);
        String before = "";
        if (layer) {
            int end = stem.indexOf('.', from.length());
            if (end < 0 || !stem.substring(from.length(), end).matches("0|[1-9][0-9]{0,3}")) {
                return Optional.empty();
            }
            before = to + stem.substring(from.length(), end + 1);
            stem = stem.substring(end + 1);
        }
        for (Name n : names) {
            if (n.layer == layer && known.apply(n).equals(stem)) {
                return Optional.of(new Place(before + wanted.apply(n) + suffix, n.layout));
            }
        }
        return Optional.empty();
    }
}
