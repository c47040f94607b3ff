#include "common/data/jsonl.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "tests/common/data/expect_contains.h"

namespace srlm::data {
namespace {

/// The message of the first failure, after `good` rows.
std::string FailureAfter(const std::string& path, int good, size_t max_line_bytes = kMaxLineBytes) {
  Result<JsonlReader> reader = JsonlReader::Open(path, max_line_bytes);
  if (!reader.ok()) return reader.status().message();
  nlohmann::json row;
  for (int i = 0; i < good; ++i) EXPECT_TRUE(reader->Next(row).ok());
  const Result<bool> next = reader->Next(row);
  return next.ok() ? "no failure" : next.status().message();
}

TEST(Jsonl, RowsComeInOrderWithTheirLines) {
  const TemporaryFolder folder;
  const std::string path =
      folder.Write("a.jsonl", "\xEF\xBB\xBF{\"a\": 1}\n\n  \r\n{\"a\": \"\\u00e9\"}\r\n{\"a\": 3}");
  Result<JsonlReader> reader = JsonlReader::Open(path);
  ASSERT_TRUE(reader.ok());
  nlohmann::json row;
  ASSERT_TRUE(*reader->Next(row));
  EXPECT_EQ(row["a"], 1);
  ASSERT_TRUE(*reader->Next(row));
  EXPECT_EQ(row["a"], "é");
  EXPECT_EQ(reader->Where(), path + ":4");
  ASSERT_TRUE(*reader->Next(row));
  EXPECT_FALSE(*reader->Next(row));
}

TEST(Jsonl, LinesLongerThanTheReadBufferAreWhole) {
  const TemporaryFolder folder;
  const std::string text(100000, 'x');
  const std::string path = folder.Write("a.jsonl", "{\"a\": \"" + text + "\"}\n{\"a\": \"b\"}\n");
  Result<JsonlReader> reader = JsonlReader::Open(path);
  nlohmann::json row;
  ASSERT_TRUE(*reader->Next(row));
  EXPECT_EQ(row["a"], text);
  ASSERT_TRUE(*reader->Next(row));
  EXPECT_EQ(row["a"], "b");
}

TEST(Jsonl, AFileInAnotherFormIsSaidWhatToDoWith) {
  const TemporaryFolder folder;
  const std::pair<std::string, std::string> cases[] = {
      {std::string("\x1f\x8b\x08\x08\x12\0\x03", 7), "a.jsonl: is compressed (gzip); unpack it first: gunzip -k FILE"},
      {std::string("\x1f\x8b\x08\x01\n\0", 6), "a.jsonl: is compressed (gzip)"},
      {std::string("\x28\xb5\x2f\xfd\x04\0", 6), "a.jsonl: is compressed (Zstandard)"},
      {std::string("PAR1\x15\0", 6), "a.jsonl: is Parquet"},
  };
  for (const auto& [text, message] : cases) {
    Result<JsonlReader> reader = JsonlReader::Open(folder.Write("a.jsonl", text));
    nlohmann::json row;
    EXPECT_NE(reader->Next(row).status().message().find(message), std::string::npos)
        << reader->Next(row).status().message();
  }
}

TEST(Jsonl, BadLinesNameFileAndLine) {
  const TemporaryFolder folder;
  const struct {
    std::string text;
    std::string message;
  } cases[] = {
      {"{\"a\": 1}\n{\"a\": \n", "a.jsonl:2: not valid JSON"},
      {"{}\n[1]\n", "a.jsonl:2: wanted a JSON object, found array"},
      {"{}\n{} {}\n", "a.jsonl:2: not valid JSON"},
      {"{}\n{\"a\": \"\xff\"}\n", "a.jsonl:2: not valid JSON"},
      {std::string("{}\n\0{}\n", 7), "a.jsonl:2: a zero byte"},
      {std::string("{}\n{\"a\": 1\0}\n", 13), "a.jsonl:2: a zero byte"},
      {std::string("{}\n{}\0 more", 11), "a.jsonl:2: a zero byte"},
      {"{}\n" + std::string(100000, '[') + "\n", "a.jsonl:2: not valid JSON"},
      {"{}\n{\"a\": 1e999}\n", "a.jsonl:2: not valid JSON"},
  };
  for (const auto& each : cases) ExpectContains(FailureAfter(folder.Write("a.jsonl", each.text), 1), each.message);
  const std::string wide = folder.Write("a.jsonl", "{}\n{\"a\": \"" + std::string(2000, 'x') + "\"}\n");
  ExpectContains(FailureAfter(wide, 1, 1000), "a.jsonl:2: the line is longer than 1000 bytes");
  ExpectContains(FailureAfter(folder.Path("none.jsonl"), 0), "none.jsonl: cannot open");
  ExpectContains(FailureAfter(folder.Path("."), 0), "cannot read");
}

TEST(Jsonl, CreateIsWholeOrAsBefore) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("out.jsonl", "before\n");
  {
    Result<JsonlWriter> writer = JsonlWriter::Create(path);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Write({{"a", 1}}).ok());
  }
  EXPECT_EQ(*ReadFile(path), "before\n");
  EXPECT_EQ(folder.FileCount(), 1u) << "an unfinished file stays behind";
  Result<JsonlWriter> writer = JsonlWriter::Create(path);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->Write({{"a", 1}}).ok());
  ASSERT_TRUE(writer->Write({{"a", "\xff"}}).ok());
  EXPECT_EQ(*ReadFile(path), "before\n");
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(*ReadFile(path), "{\"a\":1}\n{\"a\":\"\xEF\xBF\xBD\"}\n");
  EXPECT_EQ(folder.FileCount(), 1u);
}

TEST(Jsonl, AppendedRowsAreVisibleAtOnce) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("log.jsonl", "{}\n");
  Result<JsonlWriter> writer = JsonlWriter::Append(path);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->Write({{"step", 0}}).ok());
  EXPECT_EQ(*ReadFile(path), "{}\n{\"step\":0}\n");
  ASSERT_TRUE(writer->Close().ok());
}

TEST(Jsonl, OrderedRowsKeepTheOrderOfTheirKeys) {
  const TemporaryFolder folder;
  Result<JsonlWriter> writer = JsonlWriter::Create(folder.Path("out.jsonl"));
  ASSERT_TRUE(writer.ok());
  const nlohmann::ordered_json row = {{"prompt_id", "p"}, {"error", "\xff"}, {"a", 1}};
  ASSERT_TRUE(writer->Write(row).ok());
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(*ReadFile(folder.Path("out.jsonl")), "{\"prompt_id\":\"p\",\"error\":\"\xEF\xBF\xBD\",\"a\":1}\n");
}

TEST(Jsonl, AFileThatCannotBeWrittenIsAMessage) {
  const TemporaryFolder folder;
  ExpectContains(JsonlWriter::Create(folder.Path("none/out.jsonl")).status().message(), "none/out.jsonl");
  ExpectContains(JsonlWriter::Create(folder.Path(".")).status().message(), "cannot write");
  Result<JsonlWriter> full = JsonlWriter::Append("/dev/full");
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->Write({{"a", 1}}).code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace srlm::data
