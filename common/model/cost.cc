#include "common/model/cost.h"

#include <algorithm>

namespace srlm::model {

int64_t BlockMatrixElements(const ModelConfig& config) {
  const int64_t attention = 2 * config.query_size() + 2 * config.kv_size();  // q, o; k, v
  return config.layers * config.hidden_size * (attention + 3 * config.intermediate_size);
}

int64_t HeadElements(const ModelConfig& config) { return config.vocabulary_size * config.hidden_size; }

double SeenTokens(const ModelConfig& config, double context) {
  double seen = 0;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const auto window = static_cast<double>(config.window_of(layer));
    seen += window > 0 ? std::min(window, context) : context;
  }
  return seen / static_cast<double>(config.layers);
}

double BlockFlops(const ModelConfig& config, double context) {
  return 2.0 * static_cast<double>(BlockMatrixElements(config)) +
         4.0 * static_cast<double>(config.layers * config.query_size()) * SeenTokens(config, context);
}

double HeadFlops(const ModelConfig& config) { return 2.0 * static_cast<double>(HeadElements(config)); }

int64_t KvElements(const ModelConfig& config) { return 2 * config.layers * config.kv_size(); }

int64_t BlockActivationElements(const ModelConfig& config) {
  int64_t elements = 2 + config.heads + 2 * config.query_size() + 2 * config.kv_size() + config.hidden_size +
                     2 * config.intermediate_size;
  if (config.head_norms) elements += config.query_size() + config.kv_size() + config.heads + config.kv_heads;
  if (config.part_norms) elements += 2 * (config.hidden_size + 1);
  return elements;
}

int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, bool recompute) {
  const int64_t inputs = (config.layers + 1) * config.hidden_size;
  const int64_t blocks = recompute ? 1 : config.layers;
  // Shared: norm, gated unit and its gradient, those of qkv, hidden states, targets, a part and its product.
  const int64_t shared =
      10 * config.hidden_size + 3 * config.intermediate_size + 2 * config.query_size() + 2 * config.kv_size();
  return tokens * (inputs + blocks * BlockActivationElements(config) + shared) * static_cast<int64_t>(sizeof(float));
}

}  // namespace srlm::model
