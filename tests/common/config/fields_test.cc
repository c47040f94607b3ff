// The declaration of fields against the structs and against the documentation.
#include "common/config/fields.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace srlm::config {
namespace {

/// Converts to any member, so that aggregate initialisation counts members.
struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor): never defined, only asked about
};

template <class T, size_t... index>
constexpr bool TakesMembers(std::index_sequence<index...>) {
  return requires { T{(static_cast<void>(index), Anything{})...}; };
}

template <class T, size_t count = 1>
constexpr size_t CountMembers() {
  if constexpr (!TakesMembers<T>(std::make_index_sequence<count>{}))
    return count - 1;
  else
    return CountMembers<T, count + 1>();
}

struct Counter {
  size_t fields = 0;
  std::set<std::string> keys;
  template <class S>
  void Section(std::string_view key, S&, std::string_view doc) {
    Declare(key, doc);
  }
  template <class T>
  void Field(T&, const FieldInfo& info) {
    Declare(info.key, info.doc);
  }
  void Declare(std::string_view key, std::string_view doc) {
    ++fields;
    EXPECT_TRUE(keys.insert(std::string(key)).second) << key << " is declared twice";
    EXPECT_TRUE(doc.size() > 5 && doc.back() == '.') << key << " needs a sentence";
    EXPECT_EQ(doc.find('|'), std::string_view::npos) << key << " would break the table";
  }
};

template <class S>
void ExpectEveryMemberDeclared(const char* name) {
  S section;
  Counter counter;
  VisitFields(counter, section);
  EXPECT_EQ(counter.fields, CountMembers<S>()) << name << ": a member has no field in fields.h";
}

TEST(Fields, EveryMemberIsDeclaredOnce) {
  ExpectEveryMemberDeclared<RoundsConfig>("run");
  ExpectEveryMemberDeclared<DataConfig>("data");
  ExpectEveryMemberDeclared<PromptsConfig>("prompts");
  ExpectEveryMemberDeclared<GenerationConfig>("generation");
  ExpectEveryMemberDeclared<JudgeConfig>("judge");
  ExpectEveryMemberDeclared<MetaJudgeConfig>("meta_judge");
  ExpectEveryMemberDeclared<EvaluationConfig>("evaluation");
  ExpectEveryMemberDeclared<PairsConfig>("pairs");
  ExpectEveryMemberDeclared<WorkersConfig>("workers");
  ExpectEveryMemberDeclared<TrainerConfig>("trainer");
  ExpectEveryMemberDeclared<CoordinatorConfig>("coordinator");
  ExpectEveryMemberDeclared<LauncherConfig>("launcher");
  ExpectEveryMemberDeclared<RunConfig>("top level");
  OptimiserConfig shared;
  Counter counter;
  VisitOptimiser(counter, shared);
  EXPECT_EQ(counter.fields, CountMembers<OptimiserConfig>());
}

/// docs/configuration.md holds the tables between two marks. With SRLM_UPDATE_DOCS set, this test writes them.
TEST(Fields, DocumentationHasTheTables) {
  const std::string path = std::string(std::getenv("SRLM_SOURCE")) + "/docs/configuration.md";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string text = content.str();
  const std::string begin_mark = "<!-- tables: begin -->\n", end_mark = "<!-- tables: end -->";
  const size_t begin = text.find(begin_mark), end = text.find(end_mark);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << path << " has no marks for the tables";
  const size_t from = begin + begin_mark.size();
  if (std::getenv("SRLM_UPDATE_DOCS") != nullptr)
    std::ofstream(path) << text.substr(0, from) << MarkdownTables() << text.substr(end);
  else
    EXPECT_EQ(text.substr(from, end - from), MarkdownTables())
        << "run this test with SRLM_UPDATE_DOCS=1 to write the tables of fields.h into docs/configuration.md";
}

}  // namespace
}  // namespace srlm::config
