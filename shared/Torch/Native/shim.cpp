// The native half of the binding for one process: the c10 dispatcher by operator name, plus the few things that are no operators
// (autograd, grad mode, generators, threads, devices). It compiles against libtorch 1.13 and every later version.
#include <malloc.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include "shim.h"

namespace {

using c10::IValue;

// glibc gives large blocks back to the system after every training step and faults them in again: keep them.
__attribute__((constructor)) void keep_memory() {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2000 << 20);
    mallopt(M_TOP_PAD, 64 << 20);
}

enum class Tag : int32_t {
    Default, None, Tensor, Int, Double, Bool, Ints, Doubles, Tensors, OptionalTensors, Text, Device, Generator, Scalars
};

struct Value { Tag tag; int32_t count; int64_t bits; };  // the same 16 bytes on the managed side

enum class Kind : uint8_t { Other, Float, Ints, Floats, Scalars };

struct Operator {
    c10::OperatorHandle handle;
    std::vector<Kind> kinds;
    std::vector<int32_t> sizes;  // N of int[N], 0 where the schema gives none
    std::vector<c10::optional<IValue>> defaults;
    std::string name;
};

Kind kind_of(const c10::TypePtr& type) {
    auto plain = type;
    if (auto optional = type->cast<c10::OptionalType>()) plain = optional->getElementType();
    if (plain->kind() == c10::TypeKind::FloatType) return Kind::Float;
    if (auto list = plain->cast<c10::ListType>()) {
        switch (list->getElementType()->kind()) {
            case c10::TypeKind::IntType: case c10::TypeKind::SymIntType: return Kind::Ints;
            case c10::TypeKind::FloatType: return Kind::Floats;
            case c10::TypeKind::NumberType: return Kind::Scalars;
            default: break;
        }
    }
    return Kind::Other;
}

double as_double(int64_t bits) { double d; std::memcpy(&d, &bits, sizeof d); return d; }

IValue to_ivalue(const Value& v, Kind kind, int32_t size) {
    auto pointer = reinterpret_cast<void*>(v.bits);
    switch (v.tag) {
        case Tag::None: return IValue();
        case Tag::Tensor: return IValue(borrow(pointer));
        case Tag::Int:
            if (kind == Kind::Float) return IValue(static_cast<double>(v.bits));
            if (kind == Kind::Ints) return IValue(std::vector<int64_t>(size > 0 ? size : 1, v.bits));
            return IValue(v.bits);
        case Tag::Double:
            if (kind == Kind::Floats) return IValue(std::vector<double>(size > 0 ? size : 1, as_double(v.bits)));
            return IValue(as_double(v.bits));
        case Tag::Bool: return IValue(v.bits != 0);
        case Tag::Ints: {
            auto data = static_cast<const int64_t*>(pointer);
            return IValue(std::vector<int64_t>(data, data + v.count));
        }
        case Tag::Doubles: case Tag::Scalars: {
            auto data = static_cast<const double*>(pointer);
            if (kind != Kind::Scalars) return IValue(std::vector<double>(data, data + v.count));
            c10::impl::GenericList list(c10::NumberType::get());
            list.reserve(v.count);
            for (int32_t i = 0; i < v.count; i++) list.push_back(IValue(data[i]));
            return IValue(std::move(list));
        }
        case Tag::Tensors: {
            auto handles = static_cast<void* const*>(pointer);
            c10::List<at::Tensor> list;
            list.reserve(v.count);
            for (int32_t i = 0; i < v.count; i++) list.push_back(borrow(handles[i]));
            return IValue(std::move(list));
        }
        case Tag::OptionalTensors: {
            auto handles = static_cast<void* const*>(pointer);
            c10::List<c10::optional<at::Tensor>> list;
            list.reserve(v.count);
            for (int32_t i = 0; i < v.count; i++) {
                if (handles[i]) list.push_back(borrow(handles[i]));
                else list.push_back(c10::optional<at::Tensor>());
            }
            return IValue(std::move(list));
        }
        case Tag::Text: return IValue(std::string(static_cast<const char*>(pointer), v.count));
        case Tag::Device: return IValue(c10::Device(static_cast<c10::DeviceType>(v.bits), static_cast<c10::DeviceIndex>(v.count)));
        case Tag::Generator: return IValue(*static_cast<at::Generator*>(pointer));
        default: TORCH_CHECK(false, "an argument of an unknown kind (", static_cast<int>(v.tag), ") was passed");
    }
}

thread_local std::vector<void*> more_results;
thread_local std::vector<IValue> spare_stack;

void give_back(IValue&& value, std::vector<void*>& results) {
    if (value.isTensor()) results.push_back(release(std::move(value).toTensor()));
    else if (value.isTensorList()) for (at::Tensor t : value.toTensorVector()) results.push_back(release(std::move(t)));
    else if (value.isInt()) results.push_back(reinterpret_cast<void*>(value.toInt()));
    else if (value.isBool()) results.push_back(reinterpret_cast<void*>(static_cast<int64_t>(value.toBool())));
    else if (value.isDouble()) { double d = value.toDouble(); void* p; std::memcpy(&p, &d, sizeof p); results.push_back(p); }
    else if (value.isNone()) results.push_back(nullptr);
    else TORCH_CHECK(false, "a result of kind ", value.tagKind(), " cannot be passed on");
}

c10::Device device_of(int32_t type, int32_t index) {
    return c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

}  // namespace

// ---- operators ----

API dml_operator(const char* name, const char* overload, void** result) {
    return guarded([&] {
        auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
        auto op = std::make_unique<Operator>(Operator{handle, {}, {}, {}, name});
        for (const auto& argument : handle.schema().arguments()) {
            op->kinds.push_back(kind_of(argument.type()));
            op->sizes.push_back(argument.N().value_or(0));
            op->defaults.push_back(argument.default_value());
        }
        *result = op.release();  // lives as long as the process
    });
}

// Results beyond the capacity wait for dml_more_results on the same thread.
API dml_call(const Operator* op, const Value* values, int32_t count, void** results, int32_t capacity, int32_t* result_count) {
    return guarded([&] {
        size_t total = op->kinds.size();
        TORCH_CHECK(static_cast<size_t>(count) <= total, op->name, " takes ", total, " arguments, ", count, " were passed");
        // The memory of the last stack is used again; a call within a call finds none and takes its own.
        struct Stack {
            std::vector<IValue> values = std::move(spare_stack);
            ~Stack() { values.clear(); spare_stack = std::move(values); }
        } held;
        auto& stack = held.values;
        stack.reserve(total + 1);
        for (size_t i = 0; i < total; i++) {
            if (i < static_cast<size_t>(count) && values[i].tag != Tag::Default) {
                stack.push_back(to_ivalue(values[i], op->kinds[i], op->sizes[i]));
            } else {
                TORCH_CHECK(op->defaults[i].has_value(), op->name, ": argument ", i, " has no default and was not passed");
                stack.push_back(*op->defaults[i]);
            }
        }
        op->handle.callBoxed(stack);
        if (!results) return;  // in-place operators answer their first argument
        if (stack.size() == 1 && capacity > 0 && stack[0].isTensor()) {  // nearly every operator
            results[0] = release(std::move(stack[0]).toTensor());
            *result_count = 1;
            return;
        }
        more_results.clear();
        for (auto& value : stack) give_back(std::move(value), more_results);
        *result_count = static_cast<int32_t>(more_results.size());
        if (*result_count <= capacity) {
            std::copy(more_results.begin(), more_results.end(), results);
            more_results.clear();
        }
    });
}

API dml_more_results(void** results) {
    return guarded([&] { std::copy(more_results.begin(), more_results.end(), results); more_results.clear(); });
}

// ---- tensors ----

struct Info {
    const int64_t* sizes; const int64_t* strides; void* data;
    int64_t dim, numel, element_size;
    int32_t dtype, device_type, device_index;
    uint8_t requires_grad, is_leaf, is_contiguous, is_sparse;
};

API dml_info(void* handle, int32_t want_data, Info* info) {
    return guarded([&] {
        // A borrowed reference that is given up again without touching the count.
        auto tensor = at::Tensor(Impl::reclaim(static_cast<c10::TensorImpl*>(handle)));
        struct GiveUp { at::Tensor& t; ~GiveUp() { t.unsafeReleaseTensorImpl(); } } give_up{tensor};
        info->dim = tensor.dim();
        info->numel = tensor.numel();
        info->dtype = static_cast<int32_t>(tensor.scalar_type());
        info->element_size = static_cast<int64_t>(tensor.element_size());
        info->device_type = static_cast<int32_t>(tensor.device().type());
        info->device_index = tensor.device().index();
        info->requires_grad = tensor.requires_grad();
        info->is_leaf = tensor.is_leaf();
        info->is_sparse = tensor.layout() != at::kStrided;
        info->sizes = tensor.sizes().data();
        info->strides = info->is_sparse ? nullptr : tensor.strides().data();
        info->is_contiguous = !info->is_sparse && tensor.is_contiguous();
        info->data = want_data && !info->is_sparse ? tensor.data_ptr() : nullptr;
    });
}

API dml_release(void* handle) {
    return guarded([&] { Impl::reclaim(static_cast<c10::TensorImpl*>(handle)); });
}

API dml_alias(void* handle, void** result) { return guarded([&] { *result = release(borrow(handle)); }); }

// ---- autograd ----

API dml_set_requires_grad(void* handle, int32_t value) { return guarded([&] { borrow(handle).set_requires_grad(value != 0); }); }

API dml_grad(void* handle, void** result) {
    return guarded([&] { at::Tensor grad = borrow(handle).grad(); *result = release(std::move(grad)); });
}

API dml_set_grad(void* handle, void* grad) {
    return guarded([&] {
        auto tensor = borrow(handle);
        auto value = borrow(grad);
        TORCH_CHECK(!value.defined() || value.sizes() == tensor.sizes(), "a gradient of shape ", value.sizes(),
                    " cannot be set on a tensor of shape ", tensor.sizes());
        tensor.mutable_grad() = value;
    });
}

API dml_backward(void* const* outputs, int32_t output_count, void* const* grads, int32_t grad_count, int32_t retain_graph,
                 int32_t create_graph, void* const* inputs, int32_t input_count) {
    return guarded([&] {
        torch::autograd::backward(borrow_all(outputs, output_count), borrow_all(grads, grad_count),
                                  retain_graph != 0, create_graph != 0, borrow_all(inputs, input_count));
    });
}

API dml_grad_mode(int32_t* enabled) { return guarded([&] { *enabled = c10::GradMode::is_enabled(); }); }
API dml_set_grad_mode(int32_t enabled) { return guarded([&] { c10::GradMode::set_enabled(enabled != 0); }); }
API dml_inference_mode(int32_t* enabled) { return guarded([&] { *enabled = c10::InferenceMode::is_enabled(); }); }
API dml_enter_inference_mode(int32_t enabled, void** guard) {
    return guarded([&] { *guard = new c10::InferenceMode(enabled != 0); });
}
API dml_leave_inference_mode(void* guard) { return guarded([&] { delete static_cast<c10::InferenceMode*>(guard); }); }

// ---- random numbers ----

API dml_generator(int32_t device_type, int32_t device_index, int32_t fresh, void** result) {
    return guarded([&] {
        auto device = device_of(device_type, device_index);
        auto shared = at::globalContext().defaultGenerator(device);
        *result = new at::Generator(fresh ? shared.clone() : shared);
    });
}
API dml_generator_release(void* generator) { return guarded([&] { delete static_cast<at::Generator*>(generator); }); }
API dml_generator_seed(void* generator, int64_t* seed) {
    return guarded([&] { *seed = static_cast<int64_t>(static_cast<at::Generator*>(generator)->current_seed()); });
}
API dml_generator_set_seed(void* generator, int64_t seed) {
    return guarded([&] {
        auto& g = *static_cast<at::Generator*>(generator);
        std::lock_guard<std::mutex> lock(g.mutex());
        g.set_current_seed(static_cast<uint64_t>(seed));
    });
}
API dml_generator_state(void* generator, void** state) {
    return guarded([&] { *state = release(static_cast<at::Generator*>(generator)->get_state()); });
}
API dml_generator_set_state(void* generator, void* state) {
    return guarded([&] { static_cast<at::Generator*>(generator)->set_state(borrow(state)); });
}
API dml_manual_seed(int64_t seed) { return guarded([&] { at::manual_seed(static_cast<uint64_t>(seed)); }); }

// ---- machine ----

API dml_version(const char** version) { *version = TORCH_VERSION; return nullptr; }
API dml_set_threads(int32_t count) { return guarded([&] { at::set_num_threads(count); }); }
API dml_threads(int32_t* count) { return guarded([&] { *count = at::get_num_threads(); }); }

API dml_device_count(int32_t device_type, int32_t* count) {
    return guarded([&] {
        auto type = static_cast<c10::DeviceType>(device_type);
        *count = c10::impl::hasDeviceGuardImpl(type) ? c10::impl::VirtualGuardImpl(type).deviceCount() : 0;
    });
}
API dml_trim() { return guarded([] { malloc_trim(0); }); }

API dml_synchronize(int32_t device_type, int32_t device_index) {
    return guarded([&] {
        c10::impl::VirtualGuardImpl guard(static_cast<c10::DeviceType>(device_type));
        auto device = device_index < 0 ? guard.getDevice() : device_of(device_type, device_index);
        guard.getStream(device).synchronize();
    });
}
API dml_tf32(int32_t* matmul, int32_t* cudnn) {
    return guarded([&] { *matmul = at::globalContext().allowTF32CuBLAS(); *cudnn = at::globalContext().allowTF32CuDNN(); });
}
API dml_set_tf32(int32_t matmul, int32_t cudnn) {
    return guarded([&] { at::globalContext().setAllowTF32CuBLAS(matmul != 0); at::globalContext().setAllowTF32CuDNN(cudnn != 0); });
}

// Leaving clears the cache of cast weights, which is only valid within one forward pass.
API dml_set_autocast(int32_t device_type, int32_t enabled, int32_t dtype) {
    return guarded([&] {
        auto type = static_cast<at::ScalarType>(dtype);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
        auto device = static_cast<c10::DeviceType>(device_type);
        at::autocast::set_autocast_enabled(device, enabled != 0);
        if (enabled) at::autocast::set_autocast_dtype(device, type);
#else
        bool cpu = static_cast<c10::DeviceType>(device_type) == c10::DeviceType::CPU;
        if (cpu) at::autocast::set_cpu_enabled(enabled != 0); else at::autocast::set_enabled(enabled != 0);
        if (enabled) { if (cpu) at::autocast::set_autocast_cpu_dtype(type); else at::autocast::set_autocast_gpu_dtype(type); }
#endif
        if (!enabled) at::autocast::clear_cache();
    });
}
