// The subcommands of srlm. Each gives the program's exit code (output.h) and prints what it says itself.
#pragma once

#include <string>
#include <vector>

#include "coordinator/prepare/options.h"

namespace srlm::cli {

struct RunOptions {
  std::string program = "srlm";  // as it was called, for the commands that it tells people to give
  std::string config;
  std::string run_dir;                 // empty: runs/<the configuration's name>
  std::vector<std::string> overrides;  // key=value each
  bool take_over = false;              // from a coordinator that may live
  bool check = false;                  // only check the configuration and the files that it names
};

struct StatusOptions {
  std::string run_dir;  // one of run_dir and address is set
  std::string address;  // host:port
  std::string secrets;  // with address: a folder of keys; empty: the run's security is off
  bool json = false;
  bool watch = false;
};

struct InspectOptions {
  std::string run_dir;
  std::string table;  // prompts, candidates, pairs, rounds, events
  bool json = false;
  int round = 0;  // 0: all
  int limit = 0;  // rows; 0: all
};

struct ExportOptions {
  std::string run_dir;
  std::string kind;  // pairs, candidates, sft
  std::string out;   // empty: standard output
  int round = 0;     // 0: all
};

struct ControlOptions {
  std::string program = "srlm";  // as it was called
  std::string what;              // pause, resume, cancel
  std::string run_dir;           // one of run_dir and address is set
  std::string address;           // host:port
  std::string secrets;           // folder of keys, with address
  std::string reason;            // for the record
  double wait_s = 600;           // longest wait until it is so; 0: none
};

struct FsckOptions {
  std::string run_dir;
  bool json = false;
};

/// Starts a run or goes on with it; comes back when it is done, paused, failed or interrupted.
int Run(const RunOptions& options);
/// Says what a run is doing.
int ShowStatus(const StatusOptions& options);
/// Pauses, resumes or cancels a run that somebody works on.
int Steer(const ControlOptions& options);
/// Shows one table of a run.
int Inspect(const InspectOptions& options);
/// Checks a run's folder: kExitDone when all is as it must be, kExitFailed with findings, kExitUsage when there is no
/// run.
int Fsck(const FsckOptions& options);
/// Makes seed data out of ranked answers.
int Prepare(const prepare::Options& options);
/// Writes a run's data as JSON Lines, in the forms that TRL reads.
int Export(const ExportOptions& options);

}  // namespace srlm::cli
