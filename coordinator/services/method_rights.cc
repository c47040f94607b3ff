#include "coordinator/services/method_rights.h"

namespace srlm::services {

rpc::MethodRights MethodRightsOfRun() {
  using rpc::Right;
  return {
      {"/srlm.v1.RunService/GetStatus", Right::kRead},
      {"/srlm.v1.RunService/WatchStatus", Right::kRead},
      {"/srlm.v1.RunService/List", Right::kRead},
      {"/srlm.v1.RunService/Pause", Right::kSteer},
      {"/srlm.v1.RunService/Resume", Right::kSteer},
      {"/srlm.v1.RunService/Cancel", Right::kSteer},
      {"/srlm.v1.WorkService/Register", Right::kWork},
      {"/srlm.v1.WorkService/Lease", Right::kWork},
      {"/srlm.v1.WorkService/Renew", Right::kWork},
      {"/srlm.v1.WorkService/Submit", Right::kWork},
      {"/srlm.v1.WorkService/Leave", Right::kWork},
      {"/srlm.v1.TrainingService/ReportProgress", Right::kWork},
      {"/srlm.v1.TrainingService/ReportDone", Right::kWork},
      {"/srlm.v1.TrainingService/ReportStopped", Right::kWork},
      {"/srlm.v1.TrainingService/ReportFailed", Right::kWork},
  };
}

}  // namespace srlm::services
