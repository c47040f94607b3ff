// Folders and files that only their owner may read.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace srlm::rpc {

/// Makes `path` a folder of mode 0700, whatever the umask. One that is there is checked: CheckPrivate, CheckOwner.
Status MakePrivateFolder(const std::string& path);

/// Replaces `path` by a file of mode 0600, whatever the umask: written beside, synced, renamed. At no moment can
/// anybody else read it.
Status WritePrivateFile(const std::string& path, std::string_view content);

/// FailedPrecondition, with the command that mends it, when others than the owner have any access to `path`.
/// NotFound when it is not there.
Status CheckPrivate(const std::string& path);

/// FailedPrecondition when `path` belongs to somebody else: what lies there is not ours to trust or to change.
Status CheckOwner(const std::string& path);

}  // namespace srlm::rpc
