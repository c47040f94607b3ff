#include "trainer/job/log_rows.h"

#include <nlohmann/json.hpp>

#include "common/base/machine.h"
#include "common/data/jsonl.h"

namespace srlm::trainer {

nlohmann::ordered_json StepRow(Method method, const StepValues& values) {
  nlohmann::ordered_json row = {{"step", values.step},
                                {"loss", values.loss},
                                {"learning_rate", values.learning_rate},
                                {"grad_norm", values.grad_norm}};
  if (method == Method::kDpo) {
    row["rewards_chosen"] = values.rewards_chosen;
    row["rewards_rejected"] = values.rewards_rejected;
    row["margin"] = values.margin;
    row["accuracy"] = values.accuracy;
    row["logp_chosen"] = values.logp_chosen;
    row["logp_rejected"] = values.logp_rejected;
    if (values.nll) row["nll"] = *values.nll;
    if (values.sft_loss) row["sft_loss"] = *values.sft_loss;
  }
  row["tokens"] = values.tokens;
  row["seconds"] = values.seconds;
  row["waited_seconds"] = values.waited_seconds;
  row["sent_bytes"] = values.sent_bytes;
  return row;
}

nlohmann::ordered_json ResumedRow(int64_t step, const std::string& checkpoint,
                                  const std::vector<std::string>& refused) {
  return {{"event", "resumed"}, {"step", step}, {"checkpoint", checkpoint}, {"refused", refused}};
}

nlohmann::ordered_json DoneRow(const JobResult& result, double reference_seconds, double seconds) {
  return {{"event", "done"},
          {"model_folder", result.model_folder},
          {"model_id", result.model_id},
          {"steps", result.steps},
          {"tokens", result.tokens},
          {"seconds", seconds},
          {"reference_seconds", reference_seconds},
          {"steps_seconds", result.seconds},
          {"peak_rss_bytes", PeakRssBytes()}};
}

Status WriteLogprobs(const std::string& path, std::span<const Sample> samples,
                     const std::vector<std::vector<double>>& logp) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlWriter writer, data::JsonlWriter::Create(path));
  for (size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    nlohmann::ordered_json row = {{"row", sample.row}};
    if (sample.responses.size() == 1) {
      row["logp"] = logp[i][0];
      row["tokens"] = sample.responses[0].size();
    } else {
      if (!sample.prompt_id.empty()) row["prompt_id"] = sample.prompt_id;
      row["chosen_logp"] = logp[i][0];
      row["rejected_logp"] = logp[i][1];
      row["chosen_tokens"] = sample.responses[0].size();
      row["rejected_tokens"] = sample.responses[1].size();
    }
    SRLM_RETURN_IF_ERROR(writer.Write(row));
  }
  return writer.Close();
}

}  // namespace srlm::trainer
