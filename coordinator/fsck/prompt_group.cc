#include "coordinator/fsck/prompt_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/base/hash.h"
#include "common/data/pairs.h"
#include "common/data/verdict.h"
#include "coordinator/fsck/row_difference.h"
#include "coordinator/rounds/answers.h"
#include "coordinator/rounds/judge_program.h"
#include "coordinator/rounds/likelihoods.h"
#include "coordinator/rounds/pair_maker.h"

namespace srlm::fsck {
namespace {

using Votes = std::vector<std::vector<ledger::VoteRow>>;  // of each candidate

class GroupCheck {
 public:
  GroupCheck(const Run& run, const ledger::RoundRow& round, int position, const PromptGroup& group, Report& report,
             GroupTotals& totals)
      : run_(run), round_(round), position_(position), group_(group), report_(report), totals_(totals) {}

  /// Whether the prompt's row is as it must be.
  bool Prompt();
  /// Whether every candidate that there must be is there, once, and no other.
  bool Candidates();
  /// Whether every candidate has the votes that it must have, and the score that follows from them.
  bool Judgements(Votes& votes);
  /// Whether each candidate has the likelihood under the model before that it must have.
  bool Likelihoods();
  void Pair();

 private:
  std::string RowOf(const std::string& table, int sample = -1, int vote = -1) const {
    std::string row = fmt::format("{}, round {}, position {}", table, round_.round, position_);
    if (!group_.prompts.empty()) row += fmt::format(" (prompt {})", group_.prompts.front().prompt_id);
    if (sample >= 0) row += fmt::format(", sample {}", sample);
    if (vote >= 0) row += fmt::format(", vote {}", vote);
    return row;
  }
  void Add(const std::string& check, const std::string& where, const std::string& what) {
    report_.AddTo(check, where, what, kRowsChanged);
  }
  bool Candidate(const ledger::CandidateRow& row);
  bool VotesOf(const ledger::CandidateRow& candidate, const std::vector<ledger::VoteRow>& votes);
  bool Vote(const ledger::CandidateRow& candidate, const ledger::VoteRow& row);
  const ledger::PromptRow& prompt() const { return group_.prompts.front(); }

  const Run& run_;
  const ledger::RoundRow& round_;
  int position_;
  const PromptGroup& group_;
  Report& report_;
  GroupTotals& totals_;
};

bool GroupCheck::Prompt() {
  totals_.prompts += static_cast<int64_t>(group_.prompts.size());
  if (group_.prompts.empty()) {
    Add("prompts", RowOf("prompts"), "the prompt is missing, and later prompts or rows about it are there");
    return false;
  }
  if (group_.prompts.size() > 1) {
    Add("prompts", RowOf("prompts"), fmt::format("there are {} prompts with this key", group_.prompts.size()));
    return false;
  }
  const std::string& state = prompt().state;
  totals_.set_aside += state == "failed";
  const bool open = state == "open" || state == "anchor";
  totals_.open_prompts += open;
  if (!open && state != "answered" && state != "failed") {
    Add("prompts", RowOf("prompts"), "its state is \"" + state + "\", which there is none of");
    return false;
  }
  if (open && round_.pairs_closed) {
    Add("prompts", RowOf("prompts"), "it lacks candidates and was not set aside, in a round that is closed");
    return false;
  }
  if (state == "failed" && prompt().reason.empty()) {
    Add("prompts", RowOf("prompts"), "it was set aside without a reason");
    return false;
  }
  return true;
}

bool GroupCheck::Candidates() {
  totals_.candidates += static_cast<int64_t>(group_.candidates.size());
  const std::string& state = prompt().state;
  const bool has_anchors = state == "answered" && prompt().reason.empty();
  const int wanted = (state == "answered" || state == "anchor" ? run_.config.generation.samples : 0) +
                     (has_anchors ? rounds::AnchorSamples(run_.config) : 0);
  bool right = true;
  std::vector<int> there(static_cast<size_t>(wanted), 0);
  for (const ledger::CandidateRow& row : group_.candidates) {
    if (row.sample >= 0 && row.sample < wanted) {
      ++there[static_cast<size_t>(row.sample)];
      continue;
    }
    Add("candidates", RowOf("candidates", row.sample),
        fmt::format("it is one too many: the prompt is {} and has {} samples", prompt().state, wanted));
    right = false;
  }
  for (int sample = 0; sample < wanted; ++sample) {
    const int count = there[static_cast<size_t>(sample)];
    if (count == 1) continue;
    Add("candidates", RowOf("candidates", sample),
        count == 0 ? "it is missing, though the prompt is answered" : fmt::format("it is there {} times", count));
    right = false;
  }
  for (const ledger::CandidateRow& row : group_.candidates) right &= Candidate(row);
  return right;
}

bool GroupCheck::Candidate(const ledger::CandidateRow& row) {
  const std::string where = RowOf("candidates", row.sample);
  const bool anchor = rounds::IsAnchor(run_.config, row.sample);
  const std::string model = run_.ModelId(anchor ? rounds::AnchorName(run_.config) : fmt::format("M{}", round_.round));
  std::string what;
  if (row.prompt_id != prompt().prompt_id)
    what = "it is of prompt " + row.prompt_id;
  else if (row.model_id != model && !model.empty())
    what = fmt::format("made by model {}, and the {} is {}", row.model_id, anchor ? "anchor" : "round's", model);
  else if (row.token_hash != Sha256Tokens(row.token_ids))
    what = "its token_hash is not that of its token_ids";
  if (!what.empty()) Add("candidates", where, what);
  return what.empty();
}

bool GroupCheck::Judgements(Votes& votes) {
  totals_.votes += static_cast<int64_t>(group_.votes.size());
  bool right = true;
  for (const ledger::CandidateRow& candidate : group_.candidates) {
    std::vector<ledger::VoteRow>& of = votes.emplace_back();
    for (const ledger::VoteRow& row : group_.votes)
      if (row.sample == candidate.sample) of.push_back(row);
    right &= VotesOf(candidate, of);
  }
  for (const ledger::VoteRow& row : group_.votes) {
    if (std::ranges::find(group_.candidates, row.sample, &ledger::CandidateRow::sample) != group_.candidates.end())
      continue;
    Add("votes", RowOf("votes", row.sample, row.vote), "there is no candidate that it judges");
    right = false;
  }
  return right;
}

bool GroupCheck::VotesOf(const ledger::CandidateRow& candidate, const std::vector<ledger::VoteRow>& votes) {
  const std::string where = RowOf("candidates", candidate.sample);
  const bool dropped = rounds::IsDropped(run_.config, candidate), not_judged = rounds::IsNotJudged(candidate);
  const bool open = !candidate.score && candidate.reason.empty();
  totals_.not_judged += dropped || not_judged;
  totals_.open_candidates += open;
  if (open && round_.pairs_closed) {
    Add("votes", where, "it has neither a score nor a reason why not, in a round that is closed");
    return false;
  }
  const int wanted = open || dropped || not_judged ? 0 : rounds::VotesWanted(run_.config);
  for (int vote = 0; vote < std::max(wanted, static_cast<int>(votes.size())); ++vote) {
    const bool there = vote < static_cast<int>(votes.size());
    const int at = there ? votes[static_cast<size_t>(vote)].vote : -1;
    if (there && at == vote && vote < wanted) continue;
    Add("votes", RowOf("votes", candidate.sample, there && at < vote ? at : vote),
        there && at < vote ? "it is there more than once"
        : vote < wanted    ? fmt::format("it is missing: the candidate has {} of {} votes", votes.size(), wanted)
                           : fmt::format("it is one too many: the candidate has {} votes", wanted));
    return false;
  }
  bool right = true;
  std::vector<std::optional<double>> scores;
  for (const ledger::VoteRow& row : votes) {
    right &= Vote(candidate, row);
    scores.push_back(row.score);
  }
  const std::optional<double> score = data::MeanScore(scores);
  if (right && score != candidate.score) {
    const auto text = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "none"; };
    Add("votes", where, fmt::format("its score is {}, and its votes give {}", text(candidate.score), text(score)));
    return false;
  }
  return right;
}

bool GroupCheck::Vote(const ledger::CandidateRow& candidate, const ledger::VoteRow& row) {
  const bool by_program = rounds::JudgedByProgram(run_.config);
  const std::string judge =
      by_program ? rounds::JudgeProgramId(run_.config.judge) : run_.ModelId(run_.JudgeOf(round_.round));
  const auto state = data::VerdictStateFromName(row.state);
  std::string what;
  if (row.subject_hash != candidate.token_hash)
    what = "it judged another text: its subject_hash is not its candidate's token_hash";
  else if (row.model_id != judge && !judge.empty())
    what = fmt::format("made by {} {}, and the round's judge is {}", by_program ? "program" : "model", row.model_id,
                       judge);
  else if (!state || (*state == data::VerdictState::kParsed) != row.score.has_value())
    what = fmt::format("its state \"{}\" and its score do not fit", row.state);
  else if (row.score && !(*row.score >= 0 && *row.score <= 5))
    what = fmt::format("its score is {}, and scores are from 0 to 5", *row.score);
  else if (run_.config.judge.verdict == config::JudgeVerdict::kSampled ||
           run_.config.judge.verdict == config::JudgeVerdict::kDigit) {
    const data::Verdict verdict = data::ParseVerdict(row.text);
    const std::optional<double> score = verdict.score ? std::optional<double>(*verdict.score) : std::nullopt;
    if (verdict.state != *state || score != row.score) what = "its text says another score";
  }
  if (!what.empty()) Add("votes", RowOf("votes", row.sample, row.vote), what);
  return what.empty();
}

bool GroupCheck::Likelihoods() {
  totals_.likelihoods += static_cast<int64_t>(group_.likelihoods.size());
  const auto wanted = rounds::LikelihoodsWanted(run_.config, round_.round);
  const auto add = [&](int sample, const std::string& what) {
    Add("likelihoods", RowOf("likelihoods", sample), what);
    return false;
  };
  for (const ledger::CandidateRow& row : group_.candidates) {
    std::multiset<std::string> there;
    for (const ledger::LikelihoodRow& value : group_.likelihoods)
      if (value.sample == row.sample) there.insert(value.model);
    for (const auto& each : wanted) {
      if (row.sample >= each.samples || position_ >= each.prompts || (row.cut && !each.keep_cut)) continue;
      const auto found = there.find(each.model);
      if (found != there.end())
        there.erase(found);
      else if (round_.pairs_closed)
        return add(row.sample, fmt::format("that under {} is missing, in a round that is closed", each.model));
    }
    if (!there.empty()) return add(row.sample, fmt::format("that under {} is wanted by nobody", *there.begin()));
  }
  for (const ledger::LikelihoodRow& row : group_.likelihoods) {
    if (std::ranges::find(group_.candidates, row.sample, &ledger::CandidateRow::sample) == group_.candidates.end())
      return add(row.sample, "there is no candidate that it is of");
    if (row.logprob.has_value() != row.reason.empty()) return add(row.sample, "its value and its reason do not fit");
    const std::string model = run_.ModelId(row.model);
    if (row.logprob && row.model_id != model && !model.empty())
      return add(row.sample, fmt::format("made by model {}, and {} is {}", row.model_id, row.model, model));
  }
  return true;
}

void GroupCheck::Pair() {
  const std::string where = RowOf("pairs");
  if (group_.pairs.empty()) {
    const bool used = std::ranges::any_of(group_.candidates, [](const auto& row) { return !row.use.empty(); });
    if (round_.pairs_closed)
      Add("pairs", where, "it is missing, in a round that is closed");
    else if (used)
      Add("pairs", where, "it is missing, and its candidates are marked as used");
    return;
  }
  totals_.pairs += std::ranges::count_if(group_.pairs, [](const auto& pair) { return pair.chosen_sample >= 0; });
  const rounds::PromptDecision decision =
      rounds::DecidePrompt(run_.config, prompt(), group_.candidates, group_.likelihoods);
  if (group_.pairs.size() != decision.pairs.size())
    return Add("pairs", where,
               fmt::format("it has {} rows, and the votes give {}", group_.pairs.size(), decision.pairs.size()));
  for (size_t i = 0; i < group_.pairs.size(); ++i) {
    const std::string difference = Difference(group_.pairs[i], decision.pairs[i]);
    if (!difference.empty()) return Add("pairs", where, "it is not what the votes give: " + difference);
  }
  for (size_t i = 0; i < group_.candidates.size(); ++i) {
    const ledger::CandidateRow& row = group_.candidates[i];
    if (row.use != decision.uses[i])
      return Add("pairs", RowOf("candidates", row.sample),
                 fmt::format("it is marked \"{}\", and the votes make it \"{}\"", row.use, decision.uses[i]));
  }
}

}  // namespace

void CheckGroup(const Run& run, const ledger::RoundRow& round, int position, const PromptGroup& group, Report& report,
                GroupTotals& totals, ledger::RoundCounts& counts) {
  GroupCheck check(run, round, position, group, report, totals);
  if (!check.Prompt() || !check.Candidates()) return;
  Votes votes;
  if (!check.Judgements(votes) || !check.Likelihoods()) return;
  check.Pair();
  ++counts.prompts;
  counts.new_prompts += group.prompts.front().is_new;
  counts.answered += group.prompts.front().state == "answered";
  counts.failed_prompts += group.prompts.front().state == "failed";
  for (const ledger::CandidateRow& row : group.candidates) {
    rounds::CountCandidate(run.config, row, counts);
    counts.not_judged += rounds::IsNotJudged(row) && !rounds::IsAnchor(run.config, row.sample);
  }
  rounds::CountDecided(run.config, group.candidates, votes, group.likelihoods, group.pairs, counts);
}

}  // namespace srlm::fsck
