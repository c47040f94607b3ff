#include "coordinator/rounds/controls.h"

#include <utility>

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
  unrecorded_.push_back({round, named.event, "asked" + by_});
  return OkStatus();
}

Status Controls::Record() {
  for (const Taken& each : std::exchange(unrecorded_, {}))
    SRLM_RETURN_IF_ERROR(context_.Event("info", each.round, each.event, each.message));
  return OkStatus();
}

}  // namespace srlm::rounds
