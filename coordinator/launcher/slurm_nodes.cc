#include "coordinator/launcher/slurm_nodes.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/log.h"

namespace srlm::launcher {
namespace {

constexpr std::chrono::seconds kAskEvery(10), kMistrust(60);
constexpr double kAnswerSeconds = 10;

// "NODE STATE" for each of the nodes $1, and "NODE ours" for those that job $0 still has: one that was lost stays lost
// to it when it comes back.
constexpr char kAskScript[] =
    "sinfo --noheader --Node --nodes=\"$1\" --format='%N %T' && "
    "squeue --noheader --jobs=\"$0\" --format=%N | { read -r list && scontrol show hostnames \"$list\"; } | "
    "sed 's/$/ ours/'";

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
    auto started = BackgroundCommand::Start({"sh", "-c", kAskScript, job_.id, Joined(job_.nodes)},
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
  std::map<std::string, std::string> states;
  std::set<std::string> ours;
  for (std::string name, state; lines >> name >> state;) {
    if (state == "ours")
      ours.insert(name);
    else
      states[name] = state;
  }
  for (auto& [name, node] : nodes_) {
    const std::string& state = states[name];
    const bool lost = !ours.empty() && !ours.contains(name);
    const bool up = !lost && IsUp(state);
    if (std::exchange(node.up, up) == up) continue;
    LogWarning("slurm_node", {{"node", name}, {"usable", up ? "yes" : "no"}, {"state", lost ? "lost" : state}});
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

std::vector<std::string> SlurmNodes::ChooseFew(size_t ranks, int threads, const std::vector<std::string>& wanted,
                                               Clock::time_point now) const {
  const std::vector<std::string> best = Choose(job_.nodes.size(), wanted, now);
  for (size_t count = 1; count <= std::min(ranks, best.size()); ++count) {
    const int cpus = static_cast<int>((ranks - 1) / count + 1) * std::max(threads, 1);
    std::vector<std::string> few;
    for (const std::string& node : best) {
      if (few.size() < count && Cpus(node) >= cpus) few.push_back(node);
    }
    if (few.size() == count) return few;
  }
  return Choose(ranks, wanted, now);
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
