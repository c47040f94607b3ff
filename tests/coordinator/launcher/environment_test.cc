#include "coordinator/launcher/environment.h"

#include <gtest/gtest.h>

namespace srlm::launcher {
namespace {

TEST(CleanEnvironment, DropsWhatAnotherMpiJobLeft) {
  const char* const entries[] = {
      "PATH=/bin", "OMPI_COMM_WORLD_RANK=0", "PMIX_RANK=0", "ORTE_X=1", "OPAL_Y=1", "PRTE_Z=1", "EMPTY=", "A=b=c",
      nullptr};
  EXPECT_EQ(CleanEnvironment(entries), (Environment{{"PATH", "/bin"}, {"EMPTY", ""}, {"A", "b=c"}}));
}

TEST(CleanEnvironment, KeepsTheConsentToRunAsRoot) {
  const char* const entries[] = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", nullptr};
  EXPECT_EQ(CleanEnvironment(entries).size(), 2U);
}

TEST(LaptopEnvironment, ConsentsForRootAlone) {
  EXPECT_FALSE(LaptopEnvironment(false).contains("OMPI_ALLOW_RUN_AS_ROOT"));
  EXPECT_TRUE(LaptopEnvironment(true).contains("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"));
  EXPECT_EQ(LaptopEnvironment(false)["OMPI_MCA_mpi_yield_when_idle"], "1");
}

}  // namespace
}  // namespace srlm::launcher
