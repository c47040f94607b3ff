// Rows of the ledger as the JSON that people see. Fields: docs/formats.md.
#pragma once

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "coordinator/ledger/ledger.h"
#include "srlm/v1/run.pb.h"

namespace srlm::ledger {

nlohmann::ordered_json PromptJson(const PromptRow& row);
nlohmann::ordered_json AttemptJson(const AttemptRow& row);
/// With its votes.
Result<nlohmann::ordered_json> CandidateJson(const Ledger& ledger, const CandidateRow& row);
/// With the texts of the prompt and both answers.
Result<nlohmann::ordered_json> PairJson(const Ledger& ledger, const PairRow& row);
/// `metrics`: the JSON that the ledger keeps.
nlohmann::ordered_json EvaluationJson(const ModelRow& model, const std::string& metrics);
/// With its comparisons with the model before.
Result<nlohmann::ordered_json> EvaluationAnswerJson(const Ledger& ledger, const EvaluationAnswerRow& row);
/// With both judgements and the comparisons.
Result<nlohmann::ordered_json> JudgePairJson(const Ledger& ledger, const JudgePairRow& row);
nlohmann::ordered_json EventJson(const EventRow& row);
nlohmann::ordered_json RoundJson(const v1::RoundSummary& summary);

}  // namespace srlm::ledger
