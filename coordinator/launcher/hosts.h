// Where ranks run: hosts as the configuration names them, and mpirun's file of them.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace srlm::launcher {

struct Host {
  std::string name;
  int slots = 0;  // ranks at most; 0: as mpirun counts its cores
};

/// Reads `name` or `name:slots`. InvalidArgument says what is wrong.
Result<Host> ParseHost(const std::string& text);

/// The hosts of group number `group` of several, each of `ranks` ranks, as LaunchSpec.hosts: groups take the hosts'
/// slots one after the other, over and over; a host without a number of slots has as many as a group has ranks.
std::vector<std::string> HostsOfGroup(const std::vector<std::string>& hosts, int group, int ranks);

/// The content of mpirun's host file, a line a host.
std::string HostFile(const std::vector<Host>& hosts);

}  // namespace srlm::launcher
