// Which right each of our methods needs.
#pragma once

#include "common/rpc/right.h"

namespace srlm::services {

/// The table: a method that is not in it is refused to everybody (and a test fails).
rpc::MethodRights MethodRightsOfRun();

}  // namespace srlm::services
