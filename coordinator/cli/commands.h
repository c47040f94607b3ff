// The subcommands of srlm. Each gives the program's exit code (output.h) and prints what it says itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/device.h"
#include "coordinator/measure/answers.h"
#include "coordinator/measure/judging.h"
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

/// What `evaluate` and `compare` share.
struct MeasureOptions {
  int limit = 0;            // prompts, the first of each file; 0: all
  int threads = 0;          // of a rank; 0: all cores
  int tensor_parallel = 1;  // ranks that hold a model together
  config::DeviceChoice device;
  std::string overlap = "refuse";  // prompts that a run was trained on: refuse, leave-out or allow
  std::string chat_template;       // file, for models without one; empty: none is needed
  std::string out;                 // JSON file; empty: in the run's folder, if there is a run
  bool json = false;
};

struct PlanOptions {
  std::string config;
  std::vector<std::string> overrides;  // key=value each
  std::string model;                   // a folder, or the name of a well-known model; empty: the configuration's
  int gpus = 0;                        // 0: this machine's cores, which are measured
  std::string gpu = "h100-80gb";
  std::map<std::string, double> lengths;  // by name
  bool probe = true;                      // false: nothing is measured, and no times are said
  bool json = false;
};

struct FsckOptions {
  std::string run_dir;
  bool json = false;
};

struct EvaluateOptions {
  std::vector<std::string> models;  // folders, RUN or RUN:M2
  std::string data;                 // human-ranked answers; of data, held_out and prompts at least one is set
  std::string held_out;             // people's answers
  std::string prompts;              // to be answered
  measure::Judging judging;
  measure::Sampling sampling;
  MeasureOptions more;
};

struct CompareOptions {
  std::string a;
  std::string b;
  std::string prompts;
  std::string judge;
  std::string rows;  // file for the answers and verdicts; empty: none
  measure::Judging judging;
  measure::Sampling sampling;
  MeasureOptions more;
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
/// Says what a run would need: memory, time, disk.
int Plan(const PlanOptions& options);
/// Makes seed data out of ranked answers.
int Prepare(const prepare::Options& options);
/// Measures how models judge, what they find probable, and how they answer.
int Evaluate(const EvaluateOptions& options);
/// Compares the answers of two models by a judge.
int Compare(const CompareOptions& options);
/// Writes a run's data as JSON Lines, in the forms that TRL reads.
int Export(const ExportOptions& options);

}  // namespace srlm::cli
