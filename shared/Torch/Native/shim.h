// What every exported function of the shim is made with. Rules that hold for all of them:
//  - nothing is thrown across the C boundary: the answer is null, or an error text owned by this thread until its next error;
//  - a tensor handle is a TensorImpl* that carries one reference; dml_release gives it back.
#pragma once

#include <string>
#include <vector>

#include <ATen/ATen.h>

#define API extern "C" __attribute__((visibility("default"))) const char*

namespace dml {

using Impl = c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>;

inline thread_local std::string last_error;

// Runs the body and turns whatever it throws into a text.
template <class Body>
const char* guarded(Body&& body) noexcept {
    try {
        body();
        return nullptr;
    } catch (const c10::Error& e) {
        try { last_error = e.what_without_backtrace(); } catch (...) { return "libtorch failed and no memory was left for its message"; }
    } catch (const std::exception& e) {
        try { last_error = e.what(); } catch (...) { return "libtorch failed and no memory was left for its message"; }
    } catch (...) {
        return "libtorch threw an exception of an unknown kind";
    }
    return last_error.c_str();
}

inline at::Tensor borrow(void* handle) {
    return handle ? at::Tensor(Impl::reclaim_copy(static_cast<c10::TensorImpl*>(handle))) : at::Tensor();
}

inline void* release(at::Tensor&& tensor) { return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr; }

inline std::vector<at::Tensor> borrow_all(void* const* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) tensors.push_back(borrow(handles[i]));
    return tensors;
}

}  // namespace dml

using namespace dml;
