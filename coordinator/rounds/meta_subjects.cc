#include "coordinator/rounds/meta_subjects.h"

#include <algorithm>
#include <optional>

#include "common/data/vote_health.h"

namespace srlm::rounds {

Status AddMetaSubjects(const config::RunConfig& config, const ledger::Ledger& ledger, int round, int begin, int end,
                       std::vector<MetaSubject>& subjects) {
  SRLM_ASSIGN_OR_RETURN(const auto votes, ledger.VoteScores(round, config.generation.samples, begin, end));
  const size_t first = subjects.size();
  for (int position = begin; position < end; ++position) subjects.push_back({.position = position});
  for (size_t i = 0; i < votes.size();) {
    const ledger::VoteScore& at = votes[i];
    std::vector<std::optional<double>> scores;
    for (; i < votes.size() && votes[i].position == at.position && votes[i].sample == at.sample; ++i)
      scores.push_back(votes[i].score);
    const double variance = data::VoteVariance(scores).value_or(0);
    MetaSubject& subject = subjects[first + static_cast<size_t>(at.position - begin)];
    if (variance <= subject.variance) continue;
    subject.sample = at.sample;
    subject.variance = variance;
    subject.judgements = static_cast<int>(std::ranges::count_if(scores, [](const auto& score) { return !!score; }));
  }
  return OkStatus();
}

void MarkCompared(const config::RunConfig& config, std::vector<MetaSubject>& subjects) {
  std::vector<MetaSubject*> order;
  for (MetaSubject& subject : subjects)
    if (subject.sample >= 0) order.push_back(&subject);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) { return a->variance > b->variance; });
  const auto most = static_cast<size_t>(config.meta_judge.max_prompts);
  if (most > 0 && order.size() > most) order.resize(most);
  for (MetaSubject* subject : order) subject->compared = true;
}

}  // namespace srlm::rounds
