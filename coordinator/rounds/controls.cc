#include "coordinator/rounds/controls.h"

namespace srlm::rounds {
namespace {

struct Named {
  Controls::Wish wish;
  const char* event;
};

Named NameOf(services::Control control) {
  switch (control) {
    case services::Control::kPause: return {Controls::Wish::kPause, "pause_asked"};
    case services::Control::kResume: return {Controls::Wish::kGoOn, "resume_asked"};
    case services::Control::kCancel: return {Controls::Wish::kCancel, "cancel_asked"};
  }
  return {};
}

}  // namespace

Status Controls::Take(services::Control control, const v1::ControlRequest& request, int round) {
  const Named named = NameOf(control);
  if (named.wish == wish_) return OkStatus();
  if (wish_ == Wish::kCancel)
    return FailedPrecondition("the run is being cancelled; `srlm run` goes on with it when that is over");
  wish_ = named.wish;
  by_ = request.who().empty() ? "" : " by " + request.who();
  if (!request.reason().empty()) by_ += ": " + request.reason();
  return context_.Event("info", round, named.event, "asked" + by_);
}

}  // namespace srlm::rounds
