#include "coordinator/plan/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace srlm::plan {
namespace {

/// The makers' data sheets: dense bfloat16, memory bandwidth, and one GPU's NVLink (or PCIe) in one direction.
struct Gpu {
  const char* name;
  double tera_flops;
  double tera_bytes_s;
  double giga_bytes;
  double link_giga_bytes_s;
};
constexpr std::array<Gpu, 7> kGpus = {{
    {"a100-40gb", 312, 1.555, 40, 300},
    {"a100-80gb", 312, 2.039, 80, 300},
    {"h100-80gb", 989, 3.35, 80, 450},
    {"h100-pcie-80gb", 756, 2.0, 80, 64},
    {"h200-141gb", 989, 4.8, 141, 450},
    {"l40s-48gb", 362, 0.864, 48, 32},
    {"b200-180gb", 2250, 8.0, 180, 900},
}};

// Shares of these that well-kept systems reach: Llama training in torchtitan and Megatron-LM 35 to 45 % of arithmetic,
// vLLM's prefill about half, its decoding 60 to 70 % of bandwidth.
constexpr double kTrainShare = 0.40;
constexpr double kPrefillShare = 0.50;
constexpr double kBandwidthShare = 0.65;
constexpr double kLinkShare = 0.70;
constexpr double kNetworkBytes = 50e9;  // a GPU's share of a node's network: 400 Gbit/s
constexpr int kGpusANode = 8;
constexpr double kLoadSeconds = 60;

}  // namespace

Result<Machine> FindGpu(std::string_view name) {
  const auto gpu = std::ranges::find_if(kGpus, [&](const Gpu& each) { return each.name == name; });
  if (gpu == kGpus.end()) {
    std::string names;
    for (const Gpu& each : kGpus) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    return InvalidArgument(fmt::format("--gpu {}: known are {}", name, names));
  }
  Machine machine;
  machine.name = gpu->name;
  machine.prefill_flops = gpu->tera_flops * 1e12 * kPrefillShare;
  machine.decode_flops = machine.prefill_flops;
  machine.weight_bytes_s = gpu->tera_bytes_s * 1e12 * kBandwidthShare;
  machine.train_flops = gpu->tera_flops * 1e12 * kTrainShare;
  machine.link_bytes_s = gpu->link_giga_bytes_s * 1e9 * kLinkShare;
  machine.network_bytes_s = kNetworkBytes * kLinkShare;
  machine.ranks_a_node = kGpusANode;
  machine.load_seconds = machine.train_load_seconds = kLoadSeconds;
  machine.memory_bytes = gpu->giga_bytes * 1e9;
  return machine;
}

}  // namespace srlm::plan
