#include "common/rpc/run_address.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/base/file.h"

namespace srlm::rpc {
namespace {

std::string PathIn(const std::string& run_dir) { return run_dir + "/coordinator.json"; }

}  // namespace

Status WriteRunAddress(const std::string& run_dir, const RunAddress& address) {
  const nlohmann::ordered_json json = {{"run_id", address.run_id}, {"address", address.address},
                                       {"epoch", address.epoch},   {"host", address.host},
                                       {"pid", address.pid},       {"security", address.secure ? "tls" : "off"}};
  return WriteFileAtomic(PathIn(run_dir), json.dump(1) + "\n");
}

Result<RunAddress> ReadRunAddress(const std::string& run_dir) {
  const std::string path = PathIn(run_dir);
  if (!std::filesystem::exists(run_dir)) return NotFound(run_dir + ": no such run folder");
  if (!std::filesystem::exists(path))
    return NotFound(run_dir + ": no coordinator runs here (no coordinator.json); start one with `srlm run`");
  SRLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto bad = [&] { return DataLoss(path + ": not a coordinator's address; start the coordinator again"); };
  if (!json.is_object()) return bad();
  try {
    RunAddress address;
    address.run_id = json.at("run_id").get<std::string>();
    address.address = json.at("address").get<std::string>();
    address.epoch = json.at("epoch").get<uint64_t>();
    address.host = json.value("host", "");
    address.pid = json.value("pid", int64_t{0});
    address.secure = json.value("security", "tls") != "off";
    return address;
  } catch (const nlohmann::json::exception&) {
    return bad();
  }
}

void RemoveRunAddress(const std::string& run_dir, uint64_t epoch) {
  const Result<RunAddress> there = ReadRunAddress(run_dir);
  if (there.ok() && there->epoch == epoch) unlink(PathIn(run_dir).c_str());
}

}  // namespace srlm::rpc
