// bench_rouge TEXTS CHECKS PLAIN: how long one check of a new prompt against TEXTS accepted ones takes, and what they
// hold in memory. Words are drawn as in language (their frequency falls as 1 / rank, out of 30,000); most prompts are
// of 5 to 40 words, or all of exactly 150, the longest that are let in; one check in ten is of a prompt that is nearly
// one of those. PLAIN of the answers (a twentieth of the long ones) are compared with those of a plain search. Prints
// figures (tests/tools/figures.py).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include <time.h>

#include "common/base/machine.h"
#include "common/base/random.h"
#include "common/data/rouge.h"

namespace srlm::data {
namespace {

constexpr double kAbove = 0.7;
constexpr int kWords = 30000;

// Of this thread: what else the machine does is left out.
double CpuMs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

class Language {
 public:
  Language() {
    double sum = 0;
    for (int rank = 1; rank <= kWords; ++rank) sums_.push_back(sum += 1.0 / rank);
  }
  std::string Text(const RandomStream& stream, int words) const {
    std::string text;
    for (int i = 0; i < words; ++i) {
      const double at = stream.Uniform(static_cast<uint64_t>(i) + 1) * sums_.back();
      text += fmt::format("{}w{}", i == 0 ? "" : " ", std::ranges::lower_bound(sums_, at) - sums_.begin());
    }
    return text;
  }

 private:
  std::vector<double> sums_;
};

int Length(const RandomStream& stream, bool all_long) {
  if (all_long) return 150;
  const double u = stream.Uniform(0);
  return u < 0.9 ? 5 + static_cast<int>(u / 0.9 * 36) : 41 + static_cast<int>((u - 0.9) / 0.1 * 110);
}

// The textbook's table, two rows of it, with all texts in turn.
class Plain {
 public:
  void Add(const std::string& text) { texts_.push_back(Numbers(text)); }
  RougeIndex::Nearest Nearest(const std::string& text) {
    const std::vector<int> asked = Numbers(text);
    RougeIndex::Nearest nearest{kAbove, -1};
    for (size_t i = 0; i < texts_.size(); ++i)
      if (const double f = F(texts_[i], asked); f > nearest.f) nearest = {f, static_cast<int>(i)};
    return nearest.index < 0 ? RougeIndex::Nearest{} : nearest;
  }

 private:
  static double F(const std::vector<int>& a, const std::vector<int>& b) {
    std::vector<int> row(b.size() + 1), next(b.size() + 1);
    for (const int token : a) {
      for (size_t j = 0; j < b.size(); ++j) next[j + 1] = token == b[j] ? row[j] + 1 : std::max(row[j + 1], next[j]);
      row.swap(next);
    }
    return 2.0 * row.back() / static_cast<double>(a.size() + b.size());
  }
  std::vector<int> Numbers(const std::string& text) {
    std::vector<int> numbers;
    for (const std::string& word : RougeTokens(text))
      numbers.push_back(numbers_.try_emplace(word, static_cast<int>(numbers_.size())).first->second);
    return numbers;
  }
  std::unordered_map<std::string, int> numbers_;
  std::vector<std::vector<int>> texts_;
};

bool Measure(const char* kind, bool all_long, int texts, int checks, int plain_checks) {
  const Language language;
  const RandomStream stream(1, {all_long});
  const auto text_of = [&](uint64_t i) {
    const RandomStream child = stream.Child(i);
    return language.Text(child, Length(child, all_long));
  };
  const auto rss_mib = [] { return static_cast<double>(PeakRssBytes()) / (1 << 20); };
  RougeIndex index;
  const double before_mib = rss_mib();
  double add_ms = 0;
  for (int i = 0; i < texts; ++i) {
    const std::string text = text_of(static_cast<uint64_t>(i));
    const double start_ms = CpuMs();
    index.Add(text);
    add_ms += CpuMs() - start_ms;
  }
  const double index_mib = rss_mib() - before_mib;
  Plain plain;
  for (int i = 0; plain_checks > 0 && i < texts; ++i) plain.Add(text_of(static_cast<uint64_t>(i)));
  std::vector<double> times_ms;
  int wrong = 0, found = 0;
  for (int i = 0; i < checks; ++i) {
    const auto number = static_cast<uint64_t>(texts + i);
    std::string text =
        i % 10 == 0 ? text_of(stream.Below(number, static_cast<uint64_t>(texts))) + " w7" : text_of(number);
    const double start_ms = CpuMs();
    const RougeIndex::Nearest nearest = index.FindNearest(text, kAbove);
    times_ms.push_back(CpuMs() - start_ms);
    found += nearest.index >= 0;
    if (i >= plain_checks) continue;
    const RougeIndex::Nearest expected = plain.Nearest(text);
    wrong += nearest.index != expected.index || nearest.f != expected.f;
  }
  const double worst_ms = *std::ranges::max_element(times_ms), limit_ms = 5;
  const std::string what = fmt::format("{} accepted prompts of {}", texts, kind);
  fmt::print(
      "{{\"figure\": \"one check of a new prompt against {}: processor time of the slowest of {} ({} near one)\", "
      "\"value\": {:.2f}, \"unit\": \"ms\", \"limit\": \"<= {}\", \"pass\": {}}}\n",
      what, checks, found, worst_ms, limit_ms, worst_ms <= limit_ms);
  fmt::print(
      "{{\"figure\": \"{} checks against {}: answers that a plain search does not give\", \"value\": {}, "
      "\"limit\": \"0\", \"pass\": {}}}\n",
      std::min(checks, plain_checks), what, wrong, wrong == 0);
  fmt::print("{{\"figure\": \"memory of {} for these checks\", \"value\": {:.0f}, \"unit\": \"MiB\"}}\n", what,
             index_mib);
  return worst_ms <= limit_ms && wrong == 0;
}

}  // namespace
}  // namespace srlm::data

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("bench_rouge TEXTS CHECKS PLAIN\n", stderr);
    return 2;
  }
  const int texts = std::atoi(argv[1]), checks = std::atoi(argv[2]), plain = std::atoi(argv[3]);
  const bool usual = srlm::data::Measure("5 to 150 words", false, texts, checks, plain);
  const bool longest = srlm::data::Measure("150 words", true, texts, checks, plain / 20);
  return usual && longest ? 0 : 1;
}
