#include "coordinator/launcher/slurm_nodes.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/log.h"

namespace srlm::launcher {
namespace {

constexpr std::chrono::seconds kAskEvery(10), kMistrust(60);
constexpr double kAnswerSeconds = 10;

std::string Joined(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
  return joined;
}

}  // namespace

SlurmNodes::SlurmNodes(SlurmJob job) : job_(std::move(job)) {
  for (size_t i = 0; i < job_.nodes.size(); ++i) nodes_[job_.nodes[i]] = {.cpus = job_.cpus[i], .place = i};
}

void SlurmNodes::Poll(Clock::time_point now) {
  if (!asking_ && now >= ask_at_) {
    ask_at_ = now + kAskEvery;
    auto started =
        BackgroundCommand::Start({"sinfo", "--noheader", "--Node", "--nodes=" + Joined(job_.nodes), "--format=%N %T"},
                                 Deadline::AfterSeconds(kAnswerSeconds));
    if (started.ok()) asking_ = std::move(*started);
  }
  if (!asking_) return;
  const auto answer = asking_->Poll();
  if (!answer) return;
  asking_.reset();
  if (answer->ok())
    TakeStates(**answer);
  else
    LogWarning("slurm_nodes_unknown", {{"reason", answer->status().message()}});
}

void SlurmNodes::TakeStates(const std::string& answer) {
  std::istringstream lines(answer);
  for (std::string name, state; lines >> name >> state;) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end() || node->second.up == IsUp(state)) continue;
    node->second.up = IsUp(state);
    LogWarning("slurm_node", {{"node", name}, {"state", state}});
  }
}

std::vector<std::string> SlurmNodes::Choose(size_t count, const std::vector<std::string>& wanted,
                                            Clock::time_point now) const {
  const auto rank = [&](const std::string& name) {
    const Node& node = nodes_.at(name);
    const bool asked = std::ranges::find(wanted, name) != wanted.end();
    return std::tuple(node.given_up || !node.up, node.failed_until > now, !asked, node.groups, node.place);
  };
  std::vector<std::string> names = job_.nodes;
  std::ranges::sort(names, {}, rank);
  const auto unfit = [&](const std::string& name) { return std::get<0>(rank(name)); };
  const auto first_unfit = std::ranges::find_if(names, unfit);
  if (first_unfit != names.begin()) names.erase(first_unfit, names.end());
  if (names.size() > count) names.resize(count);
  return names;
}

void SlurmNodes::Count(const std::vector<std::string>& nodes, int change) {
  for (const std::string& name : nodes) nodes_.at(name).groups += change;
}

void SlurmNodes::NoteFailure(const std::string& node, Clock::time_point now) {
  nodes_.at(node).failed_until = now + kMistrust;
}

void SlurmNodes::GiveUp(const std::string& node) { nodes_.at(node).given_up = true; }

int SlurmNodes::Cpus(const std::string& node) const { return nodes_.at(node).cpus; }

bool IsUp(const std::string& state) {
  constexpr std::array<std::string_view, 8> kDown = {"down",  "drained", "fail",       "unk",
                                                     "power", "reboot",  "no_respond", "future"};
  return !state.ends_with('*') &&
         std::ranges::none_of(kDown, [&](std::string_view word) { return state.starts_with(word); });
}

}  // namespace srlm::launcher
