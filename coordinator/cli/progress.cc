#include "coordinator/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "coordinator/cli/text.h"

namespace srlm::cli {
namespace {

constexpr double kSecondsBetweenLines = 10;
constexpr size_t kBarWidth = 24;
constexpr size_t kTitleWidth = 30;

std::string Bar(double share, size_t width) {
  const auto full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) + 1e-9);
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

std::string Amount(const v1::PhaseProgress& progress) {
  const std::string unit = progress.unit().empty() ? "items" : progress.unit();
  std::string text = progress.total() > 0 ? fmt::format("{}/{} {}", progress.done(), progress.total(), unit)
                                          : fmt::format("{} {}", progress.done(), unit);
  if (progress.failed() > 0) text += fmt::format(" ({} set aside)", progress.failed());
  return text;
}

}  // namespace

std::string PhaseTitle(const std::string& phase) {
  if (phase == "sft") return "supervised fine-tuning";
  if (phase == "prompts") return "new prompts";
  if (phase == "generate_and_judge") return "generate and judge";
  if (phase == "judge") return "judge.program judges";
  if (phase == "likelihoods") return "likelihoods under the model before";
  if (phase == "meta_judge") return "compare judgements";
  if (phase == "dpo") return "DPO";
  if (phase == "select_checkpoint") return "select a checkpoint";
  if (phase == "evaluate") return "evaluate the judge";
  return phase;
}

std::string DescribeProgress(const v1::PhaseProgress& progress, size_t bar_width) {
  std::string text;
  if (progress.total() > 0) {
    const double share = static_cast<double>(progress.done()) / static_cast<double>(progress.total());
    if (bar_width > 0) text += Bar(share, bar_width) + "  ";
    text += fmt::format("{:3.0f} %  ", 100 * share);
  }
  text += Amount(progress);
  if (progress.rate_per_second() > 0) text += fmt::format("  {:.0f} tokens/s", progress.rate_per_second());
  if (progress.remaining_seconds() >= 0 && progress.total() > progress.done()) {
    text += "  " + Span(progress.remaining_seconds()) + " left";
  }
  return text;
}

std::string ProgressPrinter::Title() const {
  return fmt::format("round {}  {}", last_.round(), PhaseTitle(last_.phase()));
}

void ProgressPrinter::Update(const v1::RunStatus& status, Clock::time_point now) {
  const v1::PhaseProgress& progress = status.progress();
  if (progress.phase().empty()) return;
  const auto continues = [&](const v1::PhaseProgress& other) {
    return other.round() == last_.round() && other.phase() == last_.phase();
  };
  if (!running_ || !continues(progress)) {
    if (continues(status.finished())) {  // the last look was a moment before the end
      const double rate = last_.rate_per_second();
      last_ = status.finished();
      last_.set_rate_per_second(rate);
    }
    End();
    if (progress.phase() != "done") Begin(progress, now);
    return;
  }
  last_ = progress;
  if (terminal_) {
    Draw(Pad(Title(), kTitleWidth) + "  " + DescribeProgress(progress, kBarWidth));
  } else if (SecondsBetween(printed_at_, now) >= kSecondsBetweenLines) {
    printed_at_ = now;
    PrintLine(fmt::format("{}: {}", Title(), DescribeProgress(progress, 0)));
  }
}

void ProgressPrinter::Begin(const v1::PhaseProgress& progress, Clock::time_point now) {
  running_ = true;
  last_ = progress;
  printed_at_ = now;
  if (terminal_)
    Draw(Pad(Title(), kTitleWidth) + "  " + DescribeProgress(progress, kBarWidth));
  else
    PrintLine(Title() + ": begins");
}

void ProgressPrinter::End() {
  if (!running_) return;
  running_ = false;
  std::string line = fmt::format("{}: {} in {}", Title(), Amount(last_), Span(last_.seconds()));
  if (last_.rate_per_second() > 0) line += fmt::format(", {:.0f} tokens/s", last_.rate_per_second());
  if (terminal_) std::fputs("\r\x1b[K", out_);
  drawn_.clear();
  PrintLine(line);
}

void ProgressPrinter::Note(const std::string& line) {
  if (terminal_ && !drawn_.empty()) std::fputs("\r\x1b[K", out_);
  PrintLine(line);
  if (terminal_ && !drawn_.empty()) {
    std::fputs(drawn_.c_str(), out_);
    std::fflush(out_);
  }
}

void ProgressPrinter::Draw(const std::string& line) {
  const std::string shown = Shorten(line, width_ > 1 ? width_ - 1 : 1);
  if (shown == drawn_) return;
  drawn_ = shown;
  std::fprintf(out_, "\r%s\x1b[K", shown.c_str());
  std::fflush(out_);
}

void ProgressPrinter::PrintLine(const std::string& line) {
  std::fprintf(out_, "%s\n", line.c_str());
  std::fflush(out_);
}

}  // namespace srlm::cli
