// What a check of a run found.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace srlm::fsck {

/// Something that is not as it must be.
struct Finding {
  std::string check;
  std::string where;   // file or folder; table and key of a row
  std::string what;    // what is there, what was expected, what it means
  std::string remedy;  // what to do
};

/// One family of checks.
struct Check {
  std::string name;
  std::string counted;      // what was looked at: "96 of 32 x 3"
  std::string not_checked;  // what was not, and why; empty: everything
  int64_t findings = 0;
};

/// SHA-256 over what a run has made, 64 hexadecimal digits. Two runs have the same digest when they made the same.
struct Digest {
  std::string all;                           // over the digests of the kinds
  std::map<std::string, std::string> kinds;  // candidates, votes, ...: says where two runs differ
};

class Report {
 public:
  std::string folder;
  std::string state;       // running: a coordinator has it; else as the ledger says: done, paused, stopped, ...
  std::string duplicates;  // results that came twice and were dropped
  Digest digest;           // empty while a coordinator has the run

  /// What follows belongs to this check.
  void Begin(const std::string& name) { checks_.push_back({.name = name, .counted = {}, .not_checked = {}}); }
  void Counted(std::string text) { checks_.back().counted = std::move(text); }
  void CountedIn(const std::string& check, std::string text);  // of another check, which has begun before
  void NotChecked(std::string why) { checks_.back().not_checked = std::move(why); }
  /// Of the check that has begun. A damaged table can have as many findings as rows: all are counted, the first
  /// kMostFindings of a check kept.
  void Add(std::string where, std::string what, std::string remedy);
  /// Of another check, which has begun before.
  void AddTo(const std::string& check, std::string where, std::string what, std::string remedy);

  const std::vector<Check>& checks() const { return checks_; }
  const std::vector<Finding>& findings() const { return findings_; }
  /// All of them, also those that were not kept.
  int64_t found() const;
  /// Findings of a check so far.
  int64_t FoundIn(const std::string& check) const;

 private:
  std::vector<Check> checks_;
  std::vector<Finding> findings_;
};

inline constexpr int64_t kMostFindings = 50;

/// What to do about rows that are not those that were written: they cannot be made again.
inline constexpr char kRowsChanged[] =
    "the ledger was changed or damaged after it was written: put a copy of the run's folder in its place, or start a "
    "new run";

}  // namespace srlm::fsck
