// The progress of a run as people watch it: a bar on a terminal, plain lines elsewhere.
#pragma once

#include <cstdio>
#include <string>

#include "common/base/clock.h"
#include "srlm/v1/run.pb.h"

namespace srlm::cli {

/// Name of a phase for people, e.g. "generate and judge".
std::string PhaseTitle(const std::string& phase);

/// `[#####-----]  50 %  64/128 items  112 tokens/s  1:20 left`, without the bar when `bar_width` is 0.
std::string DescribeProgress(const v1::PhaseProgress& progress, size_t bar_width);

/// Prints what changes. On a terminal the running phase is one line that is drawn again; elsewhere a phase has a
/// line when it begins, at most one every 10 s, and one when it ends.
class ProgressPrinter {
 public:
  /// `out` stays open. `terminal`: whether lines may be drawn again. `width`: its columns.
  ProgressPrinter(std::FILE* out, bool terminal, size_t width) : out_(out), terminal_(terminal), width_(width) {}
  ~ProgressPrinter() { Finish(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// Shows the phase in progress, and how the one before it ended; call it a few times a second.
  void Update(const v1::RunStatus& status) { Update(status, Clock::now()); }
  void Update(const v1::RunStatus& status, Clock::time_point now);
  /// A line of its own above the running phase's.
  void Note(const std::string& line);
  /// Ends the running phase's line as it stands: the run stops here.
  void Finish() { End(); }

 private:
  void Begin(const v1::PhaseProgress& progress, Clock::time_point now);
  /// The phase's last line.
  void End();
  void Draw(const std::string& line);
  void PrintLine(const std::string& line);
  std::string Title() const;

  std::FILE* out_;
  bool terminal_;
  size_t width_;
  bool running_ = false;  // a phase has begun and not ended
  v1::PhaseProgress last_;
  Clock::time_point printed_at_;
  std::string drawn_;  // the line that stands on the terminal without its end
};

}  // namespace srlm::cli
