package org.spin4j.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What PEFT's {@code adapter_config.json} says of a LoRA adapter. Options that this engine lacks (DoRA, trained biases, ranks
 * that differ between modules, …) are refused, and so are those that a later version may bring.
 *
 * @param rank    rows of every A, columns of every B
 * @param scale   factor on B·A: alpha / rank, or alpha / sqrt(rank) where it is rank-stabilised (arXiv 2312.03732)
 * @param targets ends of the names of the modules that it changes; empty where the file has a pattern instead
 */
record LoraConfig(int rank, double scale, List<String> targets) {
    private static final int MAX_BYTES = 1 << 20;
    /** Keys that change nothing in what a trained adapter means, whatever they say. */
    private static final Set<String> REMARKS = Set.of("auto_mapping", "base_model_name_or_path", "eva_config",
            "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform", "loftq_config",
            "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "revision", "task_type");
    /** Keys that are read here. */
    private static final Set<String> READ = Set.of("bias", "fan_in_fan_out", "init_lora_weights", "lora_alpha",
            "peft_type", "r", "target_modules", "use_rslora");
    /** Ways to begin that leave the base model's weights as they are. */
    private static final Set<String> BEGINNINGS = Set.of("true", "false", "gaussian", "eva", "orthogonal");

    static LoraConfig read(Path file) {
        ConfigKeys keys = new ConfigKeys(CheckpointJson.read(file, MAX_BYTES), file.toString());
        keys.only("peft_type", "LORA");
        keys.only("bias", "none");
        // Which way round a weight lies is known from the model.
        keys.flag("fan_in_fan_out", false);
        if (keys.has("init_lora_weights") && !BEGINNINGS.contains(keys.json().get("init_lora_weights").asText())) {
            throw keys.refused("init_lora_weights",
                    "a start that leaves the model's weights (convert with path_initial_model_for_weight_conversion)");
        }
        for (Map.Entry<String, JsonNode> e : keys.json().properties()) {
            if (!REMARKS.contains(e.getKey()) && !READ.contains(e.getKey()) && !isOff(e.getValue())) {
                throw keys.refused(e.getKey(), "null or false, all that is supported,");
            }
        }
        int rank = keys.positive("r");
        double alpha = keys.number("lora_alpha", 0);
        double scale = keys.flag("use_rslora", false) ? alpha / Math.sqrt(rank) : alpha / rank;
        return new LoraConfig(rank, scale, targets(keys));
    }

    private static boolean isOff(JsonNode value) {
        return value.isNull() || value.isContainerNode() && value.isEmpty()
                || value.isBoolean() && !value.booleanValue();
    }

    private static List<String> targets(ConfigKeys keys) {
        JsonNode value = keys.json().get("target_modules");
        if (value == null || !(value.isTextual() || value.isArray() && !value.isEmpty())) {
            throw keys.refused("target_modules", "names of modules");
        }
        List<String> targets = new ArrayList<>();
        for (JsonNode name : value) {
            if (!name.isTextual()) {
                throw keys.refused("target_modules", "names of modules");
            }
            targets.add(name.textValue());
        }
        return List.copyOf(targets);
    }

    /** Whether a target names a module: all of its name or the end of it. */
    static boolean names(String target, String module) {
        return module.equals(target) || module.endsWith("." + target);
    }
}
