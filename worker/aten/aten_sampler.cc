#include "worker/aten/aten_sampler.h"

#include <cmath>
#include <vector>

namespace srlm::worker {
namespace {

/// Rows of one kind, as tensors on the device.
struct Chosen {
  std::vector<int64_t> rows;   // of the logits
  std::vector<size_t> places;  // among the samples
  std::vector<double> temperatures, top_ps, uniforms;

  void Add(int64_t row, size_t place, const SampleRow& sample) {
    rows.push_back(row);
    places.push_back(place);
    temperatures.push_back(sample.temperature);
    top_ps.push_back(sample.top_p);
    uniforms.push_back(sample.uniform);
  }
};

template <class T>
at::Tensor ToDevice(const std::vector<T>& values, at::ScalarType type, at::Device device) {
  return at::tensor(values, at::TensorOptions().dtype(type)).to(device);
}

at::Tensor Column(const std::vector<double>& values, at::Device device) {
  return ToDevice(values, at::kDouble, device).unsqueeze(1);
}

/// exp((logit - the row's largest) / temperature).
at::Tensor Weights(const at::Tensor& logits, const Chosen& chosen) {
  const at::Tensor largest = std::get<0>(logits.max(1, /*keepdim=*/true));
  return ((logits - largest) / Column(chosen.temperatures, logits.device()).to(at::kFloat)).exp();
}

/// Of each row the first place whose cumulated mass is above the share `uniform` of `mass`.
at::Tensor PlaceOf(const at::Tensor& cumulated, const at::Tensor& mass, const Chosen& chosen) {
  const at::Tensor target = Column(chosen.uniforms, cumulated.device()) * mass;
  return at::searchsorted(cumulated, target, /*out_int32=*/false, /*right=*/true);
}

/// In order of id, over the whole vocabulary.
at::Tensor DrawFromAll(const at::Tensor& logits, const Chosen& chosen) {
  const at::Tensor weights = Weights(logits, chosen);
  const at::Tensor cumulated = weights.cumsum(1, at::kDouble);
  const at::Tensor mass = cumulated.narrow(1, cumulated.size(1) - 1, 1);
  // Rounding may put a draw behind the last token that has a weight.
  const at::Tensor last = at::searchsorted(cumulated, mass);
  return at::minimum(PlaceOf(cumulated, mass, chosen), last).squeeze(1);
}

/// In order of falling probability, from the fewest tokens whose mass reaches top_p.
at::Tensor DrawFromNucleus(const at::Tensor& logits, const Chosen& chosen) {
  const auto [sorted, ids] = Weights(logits, chosen).sort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const at::Tensor cumulated = sorted.cumsum(1, at::kDouble);
  const at::Tensor total = cumulated.narrow(1, cumulated.size(1) - 1, 1);
  const at::Tensor wanted = Column(chosen.top_ps, logits.device()) * total;
  const at::Tensor last = at::searchsorted(cumulated, wanted).clamp_max(cumulated.size(1) - 1);
  const at::Tensor nucleus = cumulated.gather(1, last);
  return ids.gather(1, at::minimum(PlaceOf(cumulated, nucleus, chosen), last)).squeeze(1);
}

/// By the kernel of a plug-in.
Status DrawByKernel(const at::Tensor& logits, const Chosen& chosen, const device::EntryPoints& kernels,
                    at::Tensor& tokens) {
  const at::Tensor rows = logits.contiguous();
  const auto floats = [&](const std::vector<double>& values) { return ToDevice(values, at::kFloat, rows.device()); };
  const at::Tensor temperatures = floats(chosen.temperatures), top_ps = floats(chosen.top_ps),
                   uniforms = floats(chosen.uniforms);
  tokens = at::empty({rows.size(0)}, rows.options().dtype(at::kLong));
  device::TopPSampling task{};
  task.logits = rows.data_ptr<float>();
  task.temperatures = temperatures.data_ptr<float>();
  task.top_ps = top_ps.data_ptr<float>();
  task.uniforms = uniforms.data_ptr<float>();
  task.tokens = tokens.data_ptr<int64_t>();
  task.rows = static_cast<int32_t>(rows.size(0));
  task.vocabulary = static_cast<int32_t>(rows.size(1));
  const int error = kernels.top_p_sampling(&task, kernels.stream_of_aten());
  return error == device::kSuccess ? OkStatus() : device::DeviceFailure(kernels, "top-p sampling", error);
}

}  // namespace

Status ReadLogits(const at::Tensor& logits, int first, std::span<const SampleRow> sample_rows,
                  std::span<const ScoreRow> score_rows, const device::EntryPoints* kernels,
                  std::span<SampledToken> samples, std::span<float> scores) {
  const at::Device device = logits.device();
  const auto here = [&](int row) { return row >= first && row < first + logits.size(0); };
  Chosen greedy, all, nucleus;
  for (size_t i = 0; i < sample_rows.size(); ++i) {
    const SampleRow& sample = sample_rows[i];
    if (!here(sample.logit_row)) continue;
    Chosen& kind = sample.temperature <= 0 ? greedy : sample.top_p >= 1 ? all : nucleus;
    kind.Add(sample.logit_row - first, i, sample);
  }
  std::vector<int64_t> rows, score_tokens;
  std::vector<size_t> score_places;
  std::vector<at::Tensor> tokens;
  const auto draw = [&](const Chosen& chosen, const auto& from) -> Status {
    if (chosen.rows.empty()) return OkStatus();
    rows.insert(rows.end(), chosen.rows.begin(), chosen.rows.end());
    const at::Tensor of = logits.index_select(0, ToDevice(chosen.rows, at::kLong, device));
    if (kernels != nullptr && &chosen != &greedy) return DrawByKernel(of, chosen, *kernels, tokens.emplace_back());
    tokens.push_back(from(of, chosen));
    return OkStatus();
  };
  SRLM_RETURN_IF_ERROR(draw(greedy, [](const at::Tensor& of, const Chosen&) { return of.argmax(1); }));
  SRLM_RETURN_IF_ERROR(draw(all, DrawFromAll));
  SRLM_RETURN_IF_ERROR(draw(nucleus, DrawFromNucleus));
  for (size_t i = 0; i < score_rows.size(); ++i) {
    if (!here(score_rows[i].logit_row)) continue;
    rows.push_back(score_rows[i].logit_row - first);
    score_tokens.push_back(score_rows[i].token);
    score_places.push_back(i);
  }
  if (rows.empty()) return OkStatus();
  if (!score_tokens.empty()) tokens.push_back(ToDevice(score_tokens, at::kLong, device));
  // Tokens and log-probabilities cross in one copy: an id is exact in float64.
  const at::Tensor token = at::cat(tokens), row = ToDevice(rows, at::kLong, device);
  const at::Tensor log_sum = logits.logsumexp(1).index_select(0, row);
  const at::Tensor logprob = logits.index({row, token}).to(at::kDouble) - log_sum.to(at::kDouble);
  const at::Tensor read = at::stack({token.to(at::kDouble), logprob}).cpu();
  const double *const read_tokens = read.data_ptr<double>(), *const read_logprobs = read_tokens + read.size(1);
  size_t at = 0;
  for (const Chosen* chosen : {&greedy, &all, &nucleus}) {
    for (const size_t place : chosen->places) {
      const bool numbers = std::isfinite(read_logprobs[at]);
      samples[place] = {numbers ? static_cast<int>(read_tokens[at]) : -1,
                        numbers ? static_cast<float>(read_logprobs[at]) : 0.0f};
      ++at;
    }
  }
  for (const size_t place : score_places) scores[place] = static_cast<float>(read_logprobs[at++]);
  return OkStatus();
}

}  // namespace srlm::worker
