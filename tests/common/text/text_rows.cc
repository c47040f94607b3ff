// text_rows MODEL_FOLDER TEMPLATE_FOLDER < rows > answers: one JSON object a line, in order (rows.h).
#include <iostream>
#include <string>

#include "tests/common/text/rows.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: text_rows MODEL_FOLDER TEMPLATE_FOLDER < rows.jsonl > answers.jsonl\n";
    return 2;
  }
  auto reader = srlm::text::RowReader::Load(argv[1], argv[2]);
  if (!reader.ok()) {
    std::cerr << reader.status().message() << '\n';
    return 1;
  }
  size_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    auto answer = row.is_object() ? reader->Answer(row)
                                  : srlm::Result<nlohmann::json>(srlm::InvalidArgument("not a JSON object"));
    if (!answer.ok()) {
      std::cerr << "row " << number << ": " << answer.status().message() << '\n';
      return 1;
    }
    if (row.contains("text")) {
      // Decoding too, of all ids and of a start that may cut a character in two.
      const auto ids = (*answer)["ids"].get<std::vector<int>>();
      const auto start = std::span(ids).first(ids.size() / 2);
      (*answer)["decoded"] = reader->chat().tokenizer().Decode(ids, /*skip_special_tokens=*/true).value();
      (*answer)["decoded_start"] = reader->chat().tokenizer().Decode(start, /*skip_special_tokens=*/false).value();
    }
    std::cout << answer->dump() << '\n';
  }
  return 0;
}
