#include "coordinator/measure/benchmarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jsonl.h"
#include "common/data/row.h"

namespace srlm::measure {
namespace {

bool IsJsonList(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '[';
}

Result<std::vector<AlpacaQuestion>> AlpacaQuestionsOf(const nlohmann::json& list, const std::string& path) {
  std::vector<AlpacaQuestion> questions;
  for (const auto& row : list) {
    const auto wrong = [&](const std::string& what) {
      return InvalidArgument(fmt::format("{}: element {} {}", path, questions.size() + 1, what));
    };
    if (!row.is_object()) return wrong("is no object");
    AlpacaQuestion question;
    for (const auto& [key, text] : {std::pair{"instruction", &question.instruction}, {"dataset", &question.dataset}}) {
      const auto found = row.find(key);
      if (found == row.end() || found->is_null()) continue;
      if (!found->is_string()) return wrong(fmt::format("has '{}' as {}, wanted text", key, found->type_name()));
      *text = found->get<std::string>();
    }
    if (data::IsBlankText(question.instruction)) return wrong("has no text 'instruction'");
    questions.push_back(std::move(question));
  }
  if (questions.empty()) return InvalidArgument(path + ": the list is empty");
  return questions;
}

/// Hexadecimal digits that name an answer, the same for the same answer.
std::string AnswerId(const std::string& model_id, int64_t question_id, const Json& turns) {
  return Sha256(fmt::format("{}\n{}\n{}", model_id, question_id,
                            turns.dump(-1, ' ', false, Json::error_handler_t::replace)))
      .substr(0, 22);
}

}  // namespace

Result<std::vector<AlpacaQuestion>> LoadAlpacaQuestions(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  if (IsJsonList(text)) {
    try {
      return AlpacaQuestionsOf(nlohmann::json::parse(text), path);
    } catch (const nlohmann::json::parse_error& error) {
      const auto line = 1 + std::ranges::count(text.substr(0, error.byte), '\n');
      return InvalidArgument(fmt::format("{}:{}: is no whole JSON list", path, line));
    } catch (const nlohmann::json::exception& error) {
      return InvalidArgument(fmt::format("{}: is no JSON list that can be read: {}", path, error.what()));
    }
  }
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  std::vector<AlpacaQuestion> questions;
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    const data::Row row(json, reader);
    AlpacaQuestion question;
    SRLM_ASSIGN_OR_RETURN(question.instruction, row.FilledText("instruction"));
    if (row.Has("dataset")) {
      SRLM_ASSIGN_OR_RETURN(question.dataset, row.Text("dataset"));
    }
    questions.push_back(std::move(question));
  }
  if (questions.empty()) return InvalidArgument(path + ": has no rows; wanted a JSON list or one JSON object a line");
  return questions;
}

Result<std::vector<MtBenchQuestion>> LoadMtBenchQuestions(const std::string& path) {
  SRLM_ASSIGN_OR_RETURN(data::JsonlReader reader, data::JsonlReader::Open(path));
  std::vector<MtBenchQuestion> questions;
  std::map<int64_t, int64_t> lines;  // of the questions, by id
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    const data::Row row(json, reader);
    MtBenchQuestion question;
    const auto id = json.find("question_id");
    if (id == json.end() || !id->is_number_integer()) return row.Error("'question_id' is no whole number");
    question.question_id = id->get<int64_t>();
    const auto [first, is_new] = lines.emplace(question.question_id, reader.line());
    if (!is_new)
      return row.Error(fmt::format("'question_id' {} is in line {} too", question.question_id, first->second));
    SRLM_ASSIGN_OR_RETURN(question.turns, row.Texts("turns"));
    if (question.turns.empty()) return row.Error("'turns' is an empty list; wanted what the user says, a text a turn");
    for (size_t i = 0; i < question.turns.size(); ++i)
      if (data::IsBlankText(question.turns[i])) return row.Error(fmt::format("'turns': element {} is empty", i + 1));
    if (row.Has("category")) {
      SRLM_ASSIGN_OR_RETURN(question.category, row.Text("category"));
    }
    questions.push_back(std::move(question));
  }
  if (questions.empty()) return InvalidArgument(path + ": has no rows; wanted one JSON object a line");
  return questions;
}

double MtBenchTemperature(const std::string& category) {
  for (const char* exact : {"extraction", "math", "coding", "reasoning"})
    if (category == exact) return 0;
  return category == "stem" || category == "humanities" ? 0.1 : 0.7;
}

Result<Json> AlpacaAnswers(const std::vector<AlpacaQuestion>& questions, const std::string& generator,
                           double temperature, const Answering& answering) {
  std::vector<data::Prompt> prompts;
  for (const AlpacaQuestion& question : questions)
    prompts.push_back({std::to_string(prompts.size()), data::PromptInput::FromUser(question.instruction)});
  SRLM_ASSIGN_OR_RETURN(const std::vector<Answer> answers, answering(prompts, temperature));
  Json list = Json::array();
  for (size_t i = 0; i < questions.size(); ++i)
    list.push_back({{"instruction", questions[i].instruction},
                    {"output", answers[i].text},
                    {"generator", generator},
                    {"dataset", questions[i].dataset.empty() ? "srlm" : questions[i].dataset}});
  return list;
}

Result<std::vector<Json>> MtBenchAnswers(const std::vector<MtBenchQuestion>& questions, const std::string& model_id,
                                         double now_s, const Answering& answering) {
  std::vector<std::vector<std::string>> said(questions.size());
  std::vector<bool> ended(questions.size(), false);  // the model could not go on
  size_t most_turns = 0;
  for (const MtBenchQuestion& question : questions) most_turns = std::max(most_turns, question.turns.size());
  for (size_t turn = 0; turn < most_turns; ++turn) {
    std::map<double, std::vector<size_t>> by_temperature;
    for (size_t i = 0; i < questions.size(); ++i) {
      if (turn >= questions[i].turns.size()) continue;
      said[i].emplace_back();
      if (!ended[i]) by_temperature[MtBenchTemperature(questions[i].category)].push_back(i);
    }
    for (const auto& [temperature, which] : by_temperature) {
      std::vector<data::Prompt> prompts;
      for (const size_t i : which) {
        data::Prompt prompt{fmt::format("{}/{}", questions[i].question_id, turn), {}};
        for (size_t past = 0; past <= turn; ++past) {
          prompt.input.messages.push_back({"user", questions[i].turns[past]});
          if (past < turn) prompt.input.messages.push_back({"assistant", said[i][past]});
        }
        prompts.push_back(std::move(prompt));
      }
      SRLM_ASSIGN_OR_RETURN(const std::vector<Answer> answers, answering(prompts, temperature));
      for (size_t k = 0; k < which.size(); ++k) {
        said[which[k]][turn] = answers[k].text;
        ended[which[k]] = !answers[k].error.empty();
      }
    }
  }
  std::vector<Json> rows;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Json turns(said[i]);
    rows.push_back({{"question_id", questions[i].question_id},
                    {"answer_id", AnswerId(model_id, questions[i].question_id, turns)},
                    {"model_id", model_id},
                    {"choices", Json::array({{{"index", 0}, {"turns", turns}}})},
                    {"tstamp", now_s}});
  }
  return rows;
}

}  // namespace srlm::measure
