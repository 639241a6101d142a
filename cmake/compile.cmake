# How every file of the project is compiled: C17 with warnings as errors.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_DEV "-O1 -g -fno-omit-frame-pointer" CACHE STRING "" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1 -DNDEBUG" CACHE STRING "" FORCE)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(binnacle_flags INTERFACE)
target_include_directories(binnacle_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(binnacle_flags INTERFACE _GNU_SOURCE
  BINNACLE_VERSION="${PROJECT_VERSION}")
target_compile_options(binnacle_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Werror -ffp-contract=off -fstack-protector-strong)
if(BINNACLE_SANITIZE)
  # What the instrumentation adds makes gcc guess wrongly about ranges; the same code without it
  # has to be free of warnings in the other presets.
  target_compile_options(binnacle_flags INTERFACE -Wno-error)
  target_compile_options(binnacle_flags INTERFACE -fsanitize=${BINNACLE_SANITIZE}
    -fno-sanitize-recover=all)
  target_link_options(binnacle_flags INTERFACE -fsanitize=${BINNACLE_SANITIZE})
endif()
if(BINNACLE_FUZZ)
  target_compile_options(binnacle_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
