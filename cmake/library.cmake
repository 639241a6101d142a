# binnacle_library(NAME LINK lib... PRIVATE lib...): one static library per folder, from every .c
# in it (main.c aside). LINK lists what this folder may include; tests/arch checks that the
# includes agree. PRIVATE lists third-party libraries that no other folder sees.
function(binnacle_library name)
  cmake_parse_arguments(arg "" "" "LINK;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE binnacle_flags ${arg_LINK})
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC binnacle_flags ${arg_LINK} PRIVATE ${arg_PRIVATE} m)
endfunction()
