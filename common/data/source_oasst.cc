// Open Assistant's exports: messages of conversation trees, flat or nested. Rank 0 is the best reply of a message.
#include <fmt/format.h>

#include <memory>
#include <unordered_map>
#include <utility>

#include "common/base/hash.h"
#include "common/data/source_builder.h"

namespace srlm::data {
namespace {

/// What a message says about itself in both exports.
struct Note {
  std::string id;
  std::string text;
  std::optional<double> quality;  // minus its rank
  bool assistant = false;
  const char* bad = nullptr;  // a reason to leave it out
};

Result<Note> ReadNote(const Row& row) {
  Note note;
  SRLM_ASSIGN_OR_RETURN(note.id, row.Id("message_id"));
  SRLM_ASSIGN_OR_RETURN(note.text, row.Text("text"));
  SRLM_ASSIGN_OR_RETURN(const std::string role, row.Text("role"));
  note.assistant = role == "assistant";
  SRLM_ASSIGN_OR_RETURN(const auto rank, row.OptionalNumber("rank"));
  if (rank) note.quality = -*rank;
  SRLM_ASSIGN_OR_RETURN(const bool deleted, row.Flag("deleted"));
  if (deleted) note.bad = "deleted";
  if (row.Has("review_result")) {
    SRLM_ASSIGN_OR_RETURN(const bool passed, row.Flag("review_result"));
    if (!passed) note.bad = "failed_review";
  }
  return note;
}

/// Messages that were seen, by their ids.
class SeenMessages {
 public:
  /// Whether a message is new; false when it is there again as it was. An id of two different messages is an error.
  Result<bool> Add(const Row& row, const Note& note, const std::string& parent) {
    const std::string bad = note.bad == nullptr ? "" : note.bad;
    const std::string said = Sha256(fmt::format("{}\n{}\n{}\n{}\n{}", parent, note.assistant, bad,
                                                note.quality ? fmt::to_string(*note.quality) : "none", note.text));
    const auto [seen, is_new] = messages_.emplace(note.id, Message{said, row.Where()});
    if (is_new) return true;
    if (seen->second.said == said) return false;
    return row.Error(fmt::format("message '{}' is in {} too, with other text or fields; ids of messages must differ",
                                 note.id, seen->second.where));
  }

 private:
  struct Message {
    std::string said;   // hash of what is read of it
    std::string where;  // file:line
  };
  std::unordered_map<std::string, Message> messages_;
};

constexpr char kSameMessage[] = "same_message";

class MessagesParser : public SourceParser {
 public:
  explicit MessagesParser(SourceBuilder& builder) : builder_(builder) {}

  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(Note note, ReadNote(row));
    std::string parent;
    if (row.Has("parent_id")) {
      SRLM_ASSIGN_OR_RETURN(parent, row.Id("parent_id"));
    }
    SRLM_ASSIGN_OR_RETURN(const bool is_new, seen_.Add(row, note, parent));
    if (!is_new) {
      builder_.Leave(kSameMessage, parent.empty() ? note.id : parent, parent.empty() ? "" : note.id);
      return OkStatus();
    }
    if (parent.empty()) {
      if (note.bad != nullptr) {
        left_.emplace(note.id, note.bad);
        builder_.Leave(note.bad, note.id, "");
        return OkStatus();
      }
      SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, note.id, note.text));
      if (!known) left_.emplace(note.id, "empty_prompt");
      return OkStatus();
    }
    replies_.emplace_back(std::move(parent), std::move(note));
    return OkStatus();
  }

  /// A reply may stand before its prompt, so replies find theirs at the end.
  Status Finish() override {
    std::unordered_map<std::string, bool> is_reply;
    for (const auto& [parent, note] : replies_) is_reply.emplace(note.id, true);
    for (auto& [parent, note] : replies_) {
      if (is_reply.contains(parent)) {
        builder_.Leave("not_first_turn", "", note.id);
      } else if (!builder_.Knows(parent)) {
        builder_.Leave("no_prompt", parent, note.id, left_.contains(parent) ? left_.at(parent) : "not in the file");
      } else if (note.bad != nullptr) {
        builder_.Leave(note.bad, parent, note.id);
      } else if (!note.assistant) {
        builder_.Leave("not_assistant", parent, note.id);
      } else {
        builder_.AddAnswer(parent, {std::move(note.id), std::move(note.text), note.quality});
      }
    }
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
  SeenMessages seen_;
  std::vector<std::pair<std::string, Note>> replies_;  // parent's id, message
  std::unordered_map<std::string, const char*> left_;  // prompts that were left out, with the reason
};

class TreesParser : public SourceParser {
 public:
  explicit TreesParser(SourceBuilder& builder) : builder_(builder) {}

  Status Add(const Row& row) override {
    SRLM_ASSIGN_OR_RETURN(const Row prompt_row, row.Object("prompt"));
    SRLM_ASSIGN_OR_RETURN(const Note prompt, ReadNote(prompt_row));
    SRLM_ASSIGN_OR_RETURN(const bool is_new, seen_.Add(row, prompt, ""));
    if (!is_new) builder_.Leave(kSameMessage, prompt.id, "");
    if (prompt.bad != nullptr) {
      if (is_new) builder_.Leave(prompt.bad, prompt.id, "");
      return OkStatus();
    }
    SRLM_ASSIGN_OR_RETURN(const bool known, builder_.AddPrompt(row, prompt.id, prompt.text));
    if (!known || !prompt_row.Has("replies")) return OkStatus();
    SRLM_ASSIGN_OR_RETURN(const auto replies, prompt_row.Objects("replies"));
    for (const Row& reply : replies) {
      SRLM_ASSIGN_OR_RETURN(Note note, ReadNote(reply));
      SRLM_ASSIGN_OR_RETURN(const bool is_new_reply, seen_.Add(row, note, prompt.id));
      if (!is_new_reply) {
        builder_.Leave(kSameMessage, prompt.id, note.id);
      } else if (note.bad != nullptr || !note.assistant) {
        builder_.Leave(note.bad != nullptr ? note.bad : "not_assistant", prompt.id, note.id);
      } else {
        builder_.AddAnswer(prompt.id, {std::move(note.id), std::move(note.text), note.quality});
      }
    }
    return OkStatus();
  }

 private:
  SourceBuilder& builder_;
  SeenMessages seen_;
};

}  // namespace

std::unique_ptr<SourceParser> MakeOasstMessagesParser(SourceBuilder& builder) {
  return std::make_unique<MessagesParser>(builder);
}
std::unique_ptr<SourceParser> MakeOasstTreesParser(SourceBuilder& builder) {
  return std::make_unique<TreesParser>(builder);
}

}  // namespace srlm::data
