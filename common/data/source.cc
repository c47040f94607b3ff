#include "common/data/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "common/data/source_builder.h"

namespace srlm::data {
namespace {

struct Format {
  SourceFormat format;
  std::string_view name;
  std::unique_ptr<SourceParser> (*make)(SourceBuilder&);
};

constexpr std::array kFormats = {
    Format{SourceFormat::kRanked, "ranked", MakeRankedParser},
    Format{SourceFormat::kOasstMessages, "oasst-messages", MakeOasstMessagesParser},
    Format{SourceFormat::kOasstTrees, "oasst-trees", MakeOasstTreesParser},
    Format{SourceFormat::kUltraFeedback, "ultrafeedback", MakeUltraFeedbackParser},
    Format{SourceFormat::kBinarized, "binarized", MakeBinarizedParser},
    Format{SourceFormat::kHelpSteer, "helpsteer", MakeHelpSteerParser},
    Format{SourceFormat::kHelpSteer3, "helpsteer3", MakeHelpSteer3Parser},
};

const Format& FormatOf(SourceFormat format) { return *std::ranges::find(kFormats, format, &Format::format); }

/// The format that a file's first row shows.
Result<SourceFormat> Recognise(const Row& row) {
  if (row.Has("message_id") && row.Has("role")) return SourceFormat::kOasstMessages;
  if (row.Has("message_tree_id") && row.Has("prompt")) return SourceFormat::kOasstTrees;
  if (row.Has("completions")) return SourceFormat::kUltraFeedback;
  if (row.Has("chosen") && row.Has("rejected")) return SourceFormat::kBinarized;
  if (row.Has("chosen_response") && row.Has("rejected_response")) return SourceFormat::kBinarized;
  if (row.Has("response1") && row.Has("response2")) return SourceFormat::kHelpSteer3;
  if (row.Has("helpfulness")) return SourceFormat::kHelpSteer;
  if (row.Has("prompt_id") && (row.Has("response_text") || row.Has("response"))) return SourceFormat::kRanked;
  return row.Error(
      "is of no known format: wanted ranked answers (prompt_id, prompt_text, response_text, quality_score), Open "
      "Assistant messages or trees, UltraFeedback (instruction, completions), pairs (chosen, rejected), HelpSteer "
      "(prompt, response, helpfulness) or HelpSteer3 (context, response1, response2); docs/formats.md describes them");
}

}  // namespace

std::string_view SourceFormatName(SourceFormat format) { return FormatOf(format).name; }

std::vector<std::string> SourceFormatNames() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::optional<SourceFormat> SourceFormatFromName(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  if (found == kFormats.end()) return std::nullopt;
  return found->format;
}

Result<Source> LoadSource(const std::string& path, std::optional<SourceFormat> format) {
  SRLM_ASSIGN_OR_RETURN(JsonlReader reader, JsonlReader::Open(path));
  Source source;
  SourceBuilder builder(source);
  std::unique_ptr<SourceParser> parser;
  nlohmann::json json;
  while (true) {
    SRLM_ASSIGN_OR_RETURN(const bool more, reader.Next(json));
    if (!more) break;
    const Row row(json, reader);
    if (parser == nullptr) {
      if (!format) {
        SRLM_ASSIGN_OR_RETURN(format, Recognise(row));
      }
      source.format = *format;
      parser = FormatOf(*format).make(builder);
    }
    SRLM_RETURN_IF_ERROR(parser->Add(row));
    ++source.rows;
  }
  if (source.rows == 0) return InvalidArgument(path + ": has no rows; wanted one JSON object a line");
  SRLM_RETURN_IF_ERROR(parser->Finish());
  builder.Finish();
  return source;
}

}  // namespace srlm::data
